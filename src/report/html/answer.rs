//! The answer in a sentence, what it proves and what it does not, and what to try next.

use super::super::nouns::{MORE_DRIVER, MORE_PRODUCT};
use super::super::style::duration;
use super::driver::counts;
use crate::drivers::Role;
use crate::findings::schema::{DriverFinding, WindowSource};
use crate::findings::{Findings, Verdict};
use crate::lang::Lang;
use crate::tell;
use serde::Serialize;

/// Drivers named in a sentence.
const NAMED: usize = 6;

/// The top of the page.
#[derive(Debug, Serialize)]
pub struct Answer {
    class: &'static str,
    word: &'static str,
    names: Vec<String>,
    more: usize,
    /// What follows the names.
    rest: String,
    also: Option<String>,
    shows: Vec<String>,
    does_not_show: Vec<&'static str>,
    #[serde(skip)]
    lang: Lang,
}

/// A thing to try.
#[derive(Debug, Serialize)]
pub struct Step {
    title: &'static str,
    text: Vec<String>,
    commands: Vec<&'static str>,
}

impl Step {
    fn new(title: &'static str, text: impl Into<String>) -> Self {
        Self {
            title,
            text: vec![text.into()],
            commands: Vec::new(),
        }
    }
}

impl Answer {
    /// The answer of these findings.
    pub fn new(findings: &Findings, flagged: &[&DriverFinding], lang: Lang) -> Self {
        let of = |verdict| {
            flagged
                .iter()
                .filter(move |driver| driver.verdict == verdict)
                .copied()
                .collect::<Vec<_>>()
        };
        let (implicated, touched) = (of(Verdict::Implicated), of(Verdict::Touched));
        if findings.attempt_missing().is_some() {
            return Self::named(
                "none",
                lang.pick(
                    "The failed attempt is in none of the traces: they can blame nobody for it",
                    "失败的安装尝试不在任何跟踪中：不能据此将失败归咎于任何一方",
                ),
                Vec::new(),
                "",
                lang,
            )
            .limits(
                &[lang.pick(
                    "When the update failed, and with what; and what went on in the traces at another time.",
                    "更新何时失败、因何失败；以及跟踪中在其他时间发生的事情。",
                )],
                &[lang.pick(
                    "Who took part in the failure: that takes a trace of the boot or the shutdown in which the attempt is made.",
                    "谁参与了失败：这需要跟踪进行安装尝试的那次启动或关机。",
                )],
                findings,
            );
        }
        match (implicated.is_empty(), touched.is_empty()) {
            (false, _) => Self::named(
                "implicated",
                lang.pick("Implicated", "涉嫌"),
                implicated,
                lang.pick(
                    "in callbacks or on stacks of driver-store operations that failed or were slow",
                    "出现在失败或变慢的驱动程序存储操作的回调或堆栈中",
                ),
                lang,
            )
            .also(touched.len())
            .limits(
                &[
                    lang.pick(
                        "So much is certain: their code was on the kernel stack of that many operations on driver-store paths in the window, or their callbacks were called for them. The failures ended in a result that is not benign; the delays lasted as long as the delay bound or longer. A callback fails by its own status.",
                        "可以确定的是：时间窗口内，在上述数量的驱动程序存储路径操作中，它们的代码位于内核堆栈上，或者它们的回调被调用。失败是指结果并非良性；延迟是指持续时间达到或超过延迟阈值。回调的失败以回调自己的状态为准。",
                    ),
                ],
                &[
                    lang.pick(
                        "That the driver caused the result. A frame shows that it was in the call, not who decided; another filter, an access list or an open handle may have.",
                        "结果是否由该驱动程序造成。堆栈帧只表明它在调用链中，并不表明由谁决定；也可能是另一个筛选器、访问控制列表或打开的句柄所致。",
                    ),
                    match findings.failure {
                        None => lang.pick(
                            "That the update failed because of it. No log that names the failure was read.",
                            "更新是否因它而失败：没有读取到指明失败的日志。",
                        ),
                        Some(_) => lang.pick(
                            "That the update failed because of it: compare the object that the log names with the paths below.",
                            "更新是否因它而失败：请将日志指明的对象与下面的路径进行比较。",
                        ),
                    },
                ],
                findings,
            ),
            (true, false) => Self::named(
                "touched",
                lang.pick("Touched, not implicated", "有触及，但未涉嫌"),
                touched,
                lang.pick(
                    "in callbacks or on stacks of driver-store operations, none of which failed or was slow",
                    "出现在驱动程序存储操作的回调或堆栈中，这些操作既没有失败，也没有变慢",
                ),
                lang,
            )
            .limits(
                &[
                    lang.pick(
                        "So much is certain: their code was on the kernel stack of that many operations on driver-store paths in the window, and none of these failed or was slow.",
                        "可以确定的是：时间窗口内，在上述数量的驱动程序存储路径操作中，它们的代码位于内核堆栈上，而这些操作既没有失败，也没有变慢。",
                    ),
                ],
                &[
                    lang.pick(
                        "Any interference. Filters are called for every file operation: touching is their work.",
                        "是否存在干扰。每个文件操作都会调用筛选器：触及是它们的本职工作。",
                    ),
                    lang.pick(
                        "That they are clear of blame: what happened outside these stacks is not in the trace.",
                        "它们是否与失败无关：这些堆栈之外发生的事情不在跟踪中。",
                    ),
                ],
                findings,
            ),
            (true, true) if findings.traces().next().is_none() => Self::named(
                "none",
                lang.pick(
                    "No trace was given: logs alone name no driver",
                    "没有提供跟踪：仅凭日志无法指明驱动程序",
                ),
                Vec::new(),
                "",
                lang,
            )
            .limits(
                &[lang.pick(
                    "When the update failed, and with what.",
                    "更新何时失败，以及失败的代码。",
                )],
                &[lang.pick(
                    "Which drivers took part: that takes a trace of the boot that failed.",
                    "哪些驱动程序参与其中：这需要失败的那次启动的跟踪。",
                )],
                findings,
            ),
            (true, true) => Self::named(
                "none",
                lang.pick(
                    "No third-party driver is seen on a driver-store operation in the window",
                    "时间窗口内的驱动程序存储操作上没有看到第三方驱动程序",
                ),
                Vec::new(),
                findings
                    .blind()
                    .map(|why| why.text(lang).to_owned())
                    .unwrap_or_default(),
                lang,
            )
            .limits(
                &[lang.pick(
                    "No operation on a driver-store path in the window has a frame of a third-party driver on its stack.",
                    "时间窗口内，驱动程序存储路径上的操作，其堆栈上都没有第三方驱动程序的帧。",
                )],
                &[lang.pick(
                    "That no third-party driver took part. No frame clears nobody; see what these traces cannot show.",
                    "是否有第三方驱动程序参与。没有帧并不能排除任何驱动程序；请参阅这些跟踪无法说明的内容。",
                )],
                findings,
            ),
        }
    }

    fn named(
        class: &'static str,
        word: &'static str,
        drivers: Vec<&DriverFinding>,
        rest: impl Into<String>,
        lang: Lang,
    ) -> Self {
        let more = drivers.len().saturating_sub(NAMED);
        let named = &drivers[..drivers.len() - more];
        Self {
            class,
            word,
            names: named.iter().map(|driver| driver.name.clone()).collect(),
            more,
            rest: rest.into(),
            also: None,
            shows: named
                .iter()
                .map(|driver| in_numbers(driver, lang))
                .collect(),
            does_not_show: Vec::new(),
            lang,
        }
    }

    fn also(self, touched: usize) -> Self {
        Self {
            also: (touched > 0).then(|| {
                tell!(
                    self.lang,
                    en: "{drivers} touched driver-store paths without a failure or a delay.",
                    zh: "另有 {drivers}触及了驱动程序存储路径，但没有失败或延迟。",
                    drivers = MORE_DRIVER.of(touched as u64, self.lang),
                )
            }),
            ..self
        }
    }

    fn limits(
        mut self,
        shows: &[&'static str],
        does_not_show: &[&'static str],
        findings: &Findings,
    ) -> Self {
        self.shows
            .extend(shows.iter().map(|text| (*text).to_owned()));
        self.does_not_show = does_not_show.to_vec();
        if findings.window.source == WindowSource::Whole {
            self.does_not_show.push(self.lang.pick(
                "Any tie to the update: servicing is not seen at work, so the whole trace was looked at.",
                "与更新是否有联系：没有看到服务堆栈在工作，因此检查了整个跟踪。",
            ));
        }
        if !findings.coverage.stacks {
            self.does_not_show.push(self.lang.pick(
                "Any driver at all: these events have no stacks.",
                "涉及哪个驱动程序：这些事件没有堆栈。",
            ));
        }
        self
    }
}

/// A named driver and its numbers.
fn in_numbers(driver: &DriverFinding, lang: Lang) -> String {
    let longest = match driver.delays {
        0 => String::new(),
        _ => tell!(
            lang,
            en: ", the longest {longest}",
            zh: "，最长 {longest}",
            longest = duration(driver.delay_us_max, lang),
        ),
    };
    tell!(
        lang,
        en: "{name}, {company}: {counts}{longest}.",
        zh: "{name}，{company}：{counts}{longest}。",
        name = driver.name,
        company = company(driver, lang),
        counts = counts(driver, lang),
    )
}

/// What to try next, the strongest first; only what applies.
pub fn next_steps(findings: &Findings, flagged: &[&DriverFinding], lang: Lang) -> Vec<Step> {
    let coverage = &findings.coverage;
    let events = findings.traces().any(|input| input.events > 0);
    let mut steps = Vec::new();
    if !flagged.is_empty() {
        steps.push(remove_and_repeat(findings, flagged, lang));
    }
    let damaged = findings.traces().any(|input| !input.warnings.is_empty());
    if damaged || coverage.events_lost > 0 || coverage.buffers_lost > 0 {
        steps.push(Step::new(
            lang.pick("Get the traces whole", "取得完整的跟踪"),
            lang.pick(
                "Parts of the input are damaged or missing. Copy the files again, or save the log again from Procmon: what is lost may hold the answer.",
                "部分输入已损坏或缺失。请重新复制文件，或从 Procmon 重新保存日志：丢失的部分可能正包含答案。",
            ),
        ));
    }
    if events && !coverage.stacks {
        steps.push(Step::new(
            lang.pick("Capture with stacks", "捕获时包含堆栈"),
            lang.pick(
                "Without stacks no driver can be tied to an operation. Save the log in Procmon's own format (PML) with all events, and not through a converter that drops stacks.",
                "没有堆栈就无法将驱动程序与操作对应起来。请用 Procmon 自己的格式（PML）保存包含所有事件的日志，不要经过会丢弃堆栈的转换工具。",
            ),
        ));
    }
    if events && !(coverage.file && coverage.registry) {
        let text = if coverage.file {
            lang.pick(
                "Switch registry activity on in Procmon, and save all events, not only those that its filter shows.",
                "在 Procmon 中启用注册表活动，并保存所有事件，而不只是其筛选器显示的事件。",
            )
        } else {
            lang.pick(
                "Switch file-system activity on in Procmon, and save all events, not only those that its filter shows.",
                "在 Procmon 中启用文件系统活动，并保存所有事件，而不只是其筛选器显示的事件。",
            )
        };
        steps.push(Step::new(
            lang.pick("Capture what is missing", "捕获缺少的内容"),
            text,
        ));
    }
    if !events || findings.window.source == WindowSource::Whole {
        steps.push(Step::new(
            lang.pick("Capture the right boot", "捕获正确的那次启动"),
            lang.pick(
                "Servicing is not seen at work. Procmon's boot log holds one boot: enable it before the restart in which the update fails. What fails on the way down needs Procmon running through the shutdown. If the time is known, narrow the analysis with --window START..END.",
                "没有看到服务堆栈在工作。Procmon 的启动日志只包含一次启动：请在更新失败的那次重启之前启用它。如果是在关机过程中失败，则需要让 Procmon 一直运行到关机结束。如果知道时间，请用 --window START..END 缩小分析范围。",
            ),
        ));
    }
    if !coverage.minifilter {
        steps.push(Step {
            commands: vec![
                "wpr -boottrace -addboot CPU -addboot FileIO -addboot Registry -addboot Handle -addboot Minifilter -filemode",
                "wpr -boottrace -stopboot C:\\update.etl",
            ],
            ..Step::new(
                lang.pick("Record the minifilter callbacks", "记录微筛选器回调"),
                lang.pick(
                    "A WPR trace with the minifilter profile tells which filter refused or delayed a request, by its own callbacks. Run this as administrator, restart so that the update runs, then stop:",
                    "使用 Minifilter 配置文件的 WPR 跟踪，能够通过筛选器自己的回调指明是哪个筛选器拒绝或延迟了请求。以管理员身份运行下面的命令，重启以进行更新，然后停止：",
                ),
            )
        });
    }
    if coverage.stacks {
        steps.push(Step::new(
            lang.pick("Move Procmon below the suspects", "将 Procmon 移到可疑筛选器之下"),
            lang.pick(
                "Filters below Procmon's altitude leave no frame on its stacks. Procmon at a lower altitude (the Altitude value of its instance, below Services\\PROCMON…\\Instances in the registry) sees those above it.",
                "高度低于 Procmon 的筛选器不会在其堆栈上留下帧。把 Procmon 放到更低的高度（注册表中 Services\\PROCMON…\\Instances 下其实例的 Altitude 值），就能看到位于它之上的筛选器。",
            ),
        ));
    }
    if findings.failure.is_none() {
        steps.push(Step::new(
            lang.pick("Put the logs beside it", "加入服务日志"),
            lang.pick(
                "CBS.log and setupapi.dev.log name the driver package, the error code and the time of the failure. The object that failed there should be among the paths here; for HKLM\\DRIVERS check the hive files config\\DRIVERS* too.",
                "CBS.log 和 setupapi.dev.log 指明驱动程序包、错误代码和失败时间。其中失败的对象应当出现在这里的路径中；对于 HKLM\\DRIVERS，还应检查配置单元文件 config\\DRIVERS*。",
            ),
        ));
    }
    if flagged
        .iter()
        .all(|driver| driver.verdict != Verdict::Implicated)
    {
        steps.push(Step::new(
            lang.pick("Think of causes that are no filter", "考虑与筛选器无关的原因"),
            lang.pick(
                "A missing DLL of a network notify object (0x8007007e), a failing advanced installer, a driver store damaged before this boot (PATH NOT FOUND, 0x80070003), ghost devices with full registry logs (0x800719e4).",
                "网络通知对象缺少 DLL（0x8007007e）、高级安装程序失败、驱动程序存储在本次启动之前就已损坏（PATH NOT FOUND，0x80070003）、幽灵设备导致注册表日志已满（0x800719e4）。",
            ),
        ));
    }
    steps
}

/// The one proof outside the trace. The drivers of a company count as one product; those that only touched come
/// in only where nobody is implicated.
fn remove_and_repeat(findings: &Findings, flagged: &[&DriverFinding], lang: Lang) -> Step {
    let mut step = Step::new(
        lang.pick("Remove the product and repeat the update", "移除产品并重新更新"),
        lang.pick(
            "The proof that no trace can give. Remove the product, or disable it as its vendor says: not only its service, for the filter stays loaded. Restart and repeat the update with the same logging. If it succeeds, put the product back: failing again is the proof.",
            "这是任何跟踪都无法给出的证明。卸载该产品，或按其供应商的说明禁用它：只停止其服务是不够的，因为筛选器仍会加载。重启后以相同的日志设置重新更新。如果成功，再装回该产品：再次失败即为证明。",
        ),
    );
    let (implicated, touched): (Vec<&DriverFinding>, Vec<&DriverFinding>) = flagged
        .iter()
        .partition(|driver| driver.verdict == Verdict::Implicated);
    let first = if implicated.is_empty() {
        &touched
    } else {
        &implicated
    };
    let mut products: Vec<String> = Vec::new();
    for driver in first {
        let product = company(driver, lang);
        if !products.contains(&product) {
            products.push(product);
        }
    }
    for product in products.iter().take(NAMED) {
        step.text
            .push(product_line(findings, flagged, product, lang));
    }
    if products.len() > NAMED {
        step.text.push(tell!(
            lang,
            en: "and {products}, in the order of the findings.",
            zh: "另有 {products}，按结果中的顺序。",
            products = MORE_PRODUCT.of((products.len() - NAMED) as u64, lang),
        ));
    }
    if products.len() > 1 {
        let text = lang.pick(
            "One product at a time, in this order; several at once only to save restarts.",
            "按此顺序每次只移除一个产品；只有为了减少重启次数才同时移除多个。",
        );
        step.text.push(text.to_owned());
    }
    let rest: Vec<&str> = touched
        .iter()
        .filter(|driver| !products.contains(&company(driver, lang)))
        .map(|driver| driver.name.as_str())
        .collect();
    if !implicated.is_empty() && !rest.is_empty() {
        step.text.push(tell!(
            lang,
            en: "Only if that changes nothing, what touched without a failure or a delay: {drivers}.",
            zh: "只有在没有变化时，才考虑没有失败或延迟、仅有触及的驱动程序：{drivers}。",
            drivers = some_of(&rest, lang),
        ));
    }
    step
}

/// The company, by which drivers are one product; a driver of an unknown one is a product of its own.
fn company(driver: &DriverFinding, lang: Lang) -> String {
    match driver.company.as_deref() {
        Some(company) => company.trim().to_owned(),
        None => tell!(
            lang,
            en: "unknown company of {name}",
            zh: "{name} 的公司未知",
            name = driver.name,
        ),
    }
}

fn product_line(
    findings: &Findings,
    flagged: &[&DriverFinding],
    product: &str,
    lang: Lang,
) -> String {
    let own = |driver: &&DriverFinding| company(driver, lang) == product;
    let names: Vec<&str> = flagged
        .iter()
        .copied()
        .filter(own)
        .map(|driver| driver.name.as_str())
        .collect();
    let loaded: Vec<&str> = findings
        .drivers
        .iter()
        .filter(|driver| driver.verdict == Verdict::Loaded && driver.role == Role::Driver)
        .filter(own)
        .map(|driver| driver.name.as_str())
        .collect();
    let names = some_of(&names, lang);
    if loaded.is_empty() {
        return tell!(lang, en: "{product}: {names}", zh: "{product}：{names}");
    }
    tell!(
        lang,
        en: "{product}: {names}; also loaded: {loaded}",
        zh: "{product}：{names}；同时加载的还有：{loaded}",
        loaded = some_of(&loaded, lang),
    )
}

fn some_of(names: &[&str], lang: Lang) -> String {
    let mut text = names[..names.len().min(NAMED)].join(", ");
    if names.len() > NAMED {
        let more = names.len() - NAMED;
        text.push_str(&tell!(lang, en: " and {more} more", zh: " 等，另有 {more} 个"));
    }
    text
}
