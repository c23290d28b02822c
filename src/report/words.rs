//! Values of the findings in the reader's words. In JSON and in tables they keep their English names.

use crate::codes::hresult;
use crate::drivers::{Basis, Role};
use crate::findings::schema::{DriverFinding, Failure, Verdict, WindowSource};
use crate::findings::{Certainty, Suspect};
use crate::lang::Lang;
use crate::trace::{Architecture, Class, Kind, Phase};

impl Verdict {
    /// In the reader's language.
    pub fn word(self, lang: Lang) -> &'static str {
        lang.pick(
            self.as_str(),
            match self {
                Self::Implicated => "涉嫌",
                Self::Touched => "触及",
                Self::Loaded => "已加载",
            },
        )
    }

    /// As a heading of the terminal: in capitals, where there are any.
    pub fn heading(self, lang: Lang) -> String {
        self.word(lang).to_uppercase()
    }
}

impl WindowSource {
    /// Where a window comes from, in a few words.
    pub fn words(self, lang: Lang) -> &'static str {
        match self {
            Self::Logs => lang.pick(
                "the servicing logs: the failed driver operation and its rollback",
                "服务日志：失败的驱动程序操作及其回滚",
            ),
            Self::Trace => lang.pick(
                "servicing activity in the trace, 5 s wider on either side",
                "跟踪中服务堆栈的活动，前后各放宽 5 秒",
            ),
            Self::User => lang.pick("--window", "--window 选项"),
            Self::Whole => lang.pick(
                "the whole trace, for want of anything better",
                "整个跟踪，因为没有更好的依据",
            ),
        }
    }
}

impl Suspect {
    /// The level in the reader's words.
    pub fn level_word(&self, lang: Lang) -> &'static str {
        let zh = match self.level {
            0 => "已排除",
            1 => "仅存在",
            2 => "主动触及",
            3 => "强烈怀疑",
            _ => "已证实干扰",
        };
        lang.pick(self.level_name, zh)
    }
}

/// `driver` or `process`.
pub fn kind_word(kind: &'static str, lang: Lang) -> &'static str {
    let zh = match kind {
        "driver" => "驱动程序",
        _ => "进程",
    };
    lang.pick(kind, zh)
}

impl Certainty {
    /// In the reader's language.
    pub fn word(self, lang: Lang) -> &'static str {
        match self {
            Self::Certain => lang.pick("certain", "确定"),
            Self::Possible => lang.pick("possible", "可能"),
        }
    }
}

/// What the code of a failure means, as far as it is known in the reader's language.
pub fn meaning(failure: &Failure, lang: Lang) -> Option<&str> {
    let zh = || hresult::meaning_zh(failure.hresult()?);
    let english = failure.meaning.as_deref();
    match lang {
        Lang::En => english,
        Lang::Zh => zh().or(english),
    }
}

/// A part of the window.
pub fn phase(phase: &str, lang: Lang) -> &str {
    let zh = match phase {
        "attempt" => "安装尝试",
        "rollback" => "回滚",
        other => other,
    };
    lang.pick(phase, zh)
}

impl Phase {
    /// A callback of a minifilter.
    pub fn callback(self, lang: Lang) -> &'static str {
        match self {
            Self::Pre => lang.pick("pre-operation callback", "操作前回调"),
            Self::Post => lang.pick("post-operation callback", "操作后回调"),
        }
    }
}

/// Whether a driver is a third party's, in a cell: `yes (company)`, `no (inbox-name)`, `observer`.
pub fn third_party(role: Role, third_party: bool, basis: Basis, lang: Lang) -> String {
    let why = match basis {
        Basis::Company => lang.pick(basis.as_str(), "按公司"),
        Basis::InboxName => lang.pick(basis.as_str(), "按内置名称"),
        Basis::Unknown => lang.pick(basis.as_str(), "未知"),
    };
    match (role, third_party) {
        (Role::Observer, _) => lang.pick("observer", "观察者").to_owned(),
        (_, true) => lang.pick(format!("yes ({why})"), format!("是（{why}）")),
        (_, false) => lang.pick(format!("no ({why})"), format!("否（{why}）")),
    }
}

/// The company, or that none is known.
pub fn company(driver: &DriverFinding, lang: Lang) -> String {
    match driver.company.as_deref() {
        Some(company) => company.trim().to_owned(),
        None => lang.pick("unknown company", "未知公司").to_owned(),
    }
}

impl Architecture {
    /// In the reader's language.
    pub fn word(self, lang: Lang) -> &'static str {
        match self {
            Self::Bits32 => lang.pick(self.as_str(), "32 位"),
            Self::Bits64 => lang.pick(self.as_str(), "64 位"),
        }
    }
}

impl Kind {
    /// In the reader's language.
    pub fn word(self, lang: Lang) -> &'static str {
        match self {
            Self::Pml => lang.pick(self.name(), "Procmon 日志"),
            Self::Etl => lang.pick(self.name(), "Windows 跟踪日志（ETL）"),
        }
    }
}

impl Class {
    /// In the reader's language.
    pub fn word(self, lang: Lang) -> &'static str {
        let zh = match self {
            Self::FileSystem => "文件系统",
            Self::Registry => "注册表",
            Self::Process => "进程",
            Self::Network => "网络",
            Self::Profiling => "性能分析",
            Self::Ipc => "进程间通信",
            Self::Unknown => "未知类别",
            Self::Minifilter => "微筛选器",
            Self::Kernel => "其他内核事件",
            Self::Event => "提供程序事件",
        };
        lang.pick(self.as_str(), zh)
    }
}

/// The clock of a trace's time stamps.
pub fn clock(clock: &'static str, lang: Lang) -> &'static str {
    let zh = match clock {
        "performance counter" => "性能计数器",
        "system time" => "系统时间",
        _ => "处理器周期",
    };
    lang.pick(clock, zh)
}
