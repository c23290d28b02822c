//! `report.html`: what it says, and that nothing from a trace gets the better of it.

use crate::common::{boot_log, findings, repository, stdout};
use fltscope::drivers::{Basis, Role};
use fltscope::findings::schema::{
    DriverFinding, Evidence, PathCount, Reason, TouchKind, Touches, WindowSource,
};
use fltscope::findings::{Case, CaseInput, Findings, Options, Verdict, analyze};
use fltscope::lang::Lang;
use fltscope::pml::PmlTrace;
use fltscope::report::html;
use fltscope::report::reader::Reader;
use fltscope::trace::{Filetime, Silent, Zone};
use sha2::{Digest, Sha256};
use tracegen::pml::op::{Create, FileOp};
use tracegen::pml::{Bits, Event, LogBuilder, Module, Op, Process};

/// 2026-05-12T06:41:07Z.
const READER: Reader<'static> = Reader {
    lang: Lang::En,
    zone: &Zone::UTC,
};
const START: u64 = 134_230_416_670_000_000;

fn report(args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let mut all = vec!["analyze", "--quiet", "--out", out];
    all.extend(args);
    stdout(all);
    std::fs::read_to_string(folder.path().join("report.html")).unwrap()
}

fn analysed(path: &str) -> Findings {
    let trace = PmlTrace::open(path.as_ref(), &|_| ()).unwrap();
    let inputs = vec![CaseInput {
        name: path.to_owned(),
        trace: &trace,
    }];
    analyze(
        &Case {
            inputs,
            logs: Default::default(),
        },
        &Options::default(),
        &Silent,
    )
    .unwrap()
    .findings
}

/// The page without its own style and script: what the trace has a part in.
fn body(page: &str) -> &str {
    let start = page.find("<body>").unwrap();
    &page[start..page.rfind("<script>").unwrap()]
}

/// What a text of the findings looks like in the page.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#x27;")
        .replace('/', "&#x2f;")
}

/// Every tag is closed, in order.
fn assert_well_formed(page: &str) {
    const VOID: [&str; 4] = ["meta", "br", "wbr", "input"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest.find('>').expect("a tag ends");
        let tag = &rest[..end];
        let name_end = tag.find(|c: char| c.is_whitespace() || c == '/');
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "near {}", &rest[..end.min(80)]),
            None if tag.starts_with('!') || tag.ends_with('/') => {}
            None => {
                let name = &tag[..name_end.unwrap_or(tag.len())];
                assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "<{tag}>");
                if !VOID.contains(&name) {
                    open.push(name);
                }
                // Their content is no markup.
                if ["style", "script"].contains(&name) {
                    rest = &rest[rest.find(&format!("</{name}")).unwrap()..];
                    continue;
                }
            }
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn the_sample_case_is_told_whole() {
    let log = boot_log();
    let page = report(&[&log]);
    assert_well_formed(&page);
    assert!(page.contains("Implicated</span>: <bdi class=\"name\">tmsflt.sys</bdi>"));
    assert!(page.contains(
        "in callbacks or on stacks of driver-store operations that failed or were slow."
    ));
    let found = findings(&[&log]);
    let texts = |value: &serde_json::Value| value.as_str().map(escaped);
    let drivers = found["drivers"].as_array().unwrap();
    for driver in drivers {
        assert!(page.contains(&texts(&driver["name"]).unwrap()), "{driver}");
        assert!(page.contains(&texts(&driver["path"]).unwrap()), "{driver}");
    }
    // The rows of the guilty one, with times that can be searched for by their clock.
    for row in drivers[0]["evidence"].as_array().unwrap() {
        let time = row["time"].as_str().unwrap();
        assert!(page.contains(&format!("T{}", time.split_once('T').unwrap().1)));
        assert!(page.contains(&texts(&row["path"]).unwrap()), "{row}");
        for frame in row["frames"].as_array().unwrap() {
            assert!(page.contains(&texts(frame).unwrap()), "{row}");
        }
    }
    for note in found["coverage"]["notes"].as_array().unwrap() {
        assert!(page.contains(&texts(note).unwrap()), "{note}");
    }
    for text in [
        "also loaded: tmsnet.sys",
        "Record the minifilter callbacks",
        "AcmeAgent.exe",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("Get the traces whole") && !page.contains("Capture with stacks"));
}

#[test]
fn nothing_is_loaded_and_only_its_own_script_runs() {
    for log in [boot_log(), repository("traces/clean/clean.pml")] {
        let page = report(&[&log]);
        for text in [
            "http://", "https://", " src=", "url(", "@import", "<link", "<img",
        ] {
            assert!(!page.contains(text), "{text}");
        }
        let script = &page[page.find("<script>").unwrap() + 8..page.rfind("</script>").unwrap()];
        let hash = base64(&Sha256::digest(script));
        let policy =
            format!("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hash}'");
        assert!(
            page.contains(&policy),
            "put {hash} into src/report/html/mod.rs"
        );
    }
}

#[test]
fn a_clean_case_clears_nobody() {
    let page = report(&[&repository("traces/clean")]);
    assert_well_formed(&page);
    assert!(page.contains("No third-party driver is seen on a driver-store operation"));
    assert!(page.contains("No frame clears nobody"));
    assert!(page.contains("Think of causes that are no filter"));
    assert!(!page.contains("Remove the product"));
}

#[test]
fn times_are_utc_and_the_zone_stands_beside_them() {
    let log = boot_log();
    let page = report(&[&log, "--tz", "+08:00"]);
    assert!(page.contains("T06:41:42.5000001Z"));
    assert!(page.contains("2026-05-12 14:41:42.5000001 UTC+08:00"));
    assert!(!report(&[&log]).contains("UTC+"));
}

#[test]
fn windows_of_any_length_are_drawn() {
    let log = boot_log();
    let years = report(&[
        &log,
        "--window",
        "2001-01-01T00:00:00Z..2090-01-01T00:00:00Z",
    ]);
    assert!(
        years.contains("The window begins 25 years"),
        "before the first event"
    );
    let elsewhere = report(&[
        &log,
        "--window",
        "2001-01-01T00:00:00Z..2002-01-01T00:00:00Z",
    ]);
    assert!(elsewhere.contains("does not meet the traces"));
    let instant = report(&[
        &log,
        "--window",
        "2026-05-12T06:42:16Z..2026-05-12T06:42:16Z",
    ]);
    for page in [years, elsewhere, instant] {
        assert_well_formed(&page);
        let body = body(&page);
        assert!(!body.contains("NaN") && !body.contains("inf%"));
    }
}

#[test]
fn a_case_without_events_is_a_page_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.pml");
    LogBuilder::new(Bits::B64).write_to(&path).unwrap();
    let page = report(&[path.to_str().unwrap()]);
    assert_well_formed(&page);
    assert!(page.contains("none could be seen: the traces hold no event"));
    assert!(page.contains("there is nothing to draw"));
    assert!(page.contains("Capture the right boot"));
}

#[test]
fn hostile_names_are_only_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.pml");
    let script = "<script>alert(1)</script>";
    let company = "\" onmouseover=\"alert(2)\" x='\u{202e}lld.tfosorciM\u{200b}";
    let mut log = LogBuilder::new(Bits::B64);
    log.computer("</title><b>&");
    let driver = Module::new(
        0xFFFF_F803_0000_0000,
        0x1000,
        "C:\\drv\\{{ 7*7 }}<img src=x>.sys",
    )
    .named(company, "-->]]><svg onload=alert(3)>", "1.0\u{7}\u{1b}[31m");
    let mut system = Process::new(4, 0, "System");
    system.modules.push(driver.clone());
    log.process(system);
    let mut process = Process::new(400, 4, "C:\\x.exe");
    process.name = script.to_owned();
    process.company = company.to_owned();
    let process = log.process(process);
    for (n, status) in [(0, 0xC000_0022), (1, 0), (2, 0xC000_0022)] {
        let create = Create {
            open_result: None,
            ..Create::default()
        };
        log.event(&Event {
            process,
            tid: 8,
            time: START + n,
            duration: 20_000_000 * n,
            status,
            stack: vec![driver.at(0x20)],
            op: Op::file(
                "C:\\Windows\\INF\\<a href='javascript:alert(4)'>\u{2066}.inf",
                FileOp::CreateFile(create),
            ),
        });
    }
    log.write_to(&path).unwrap();
    let page = report(&[path.to_str().unwrap()]);
    assert_well_formed(&page);
    let body = body(&page);
    assert!(body.contains("&lt;script&gt;alert(1)&lt;&#x2f;script&gt;"));
    assert!(body.contains(
        "&quot; onmouseover=&quot;alert(2)&quot; x=&#x27;\\u{202e}lld.tfosorciM\\u{200b}"
    ));
    assert!(body.contains("{{ 7*7 }}&lt;img src=x&gt;.sys"));
    assert!(page.contains("<title>fltscope report: &lt;&#x2f;title&gt;&lt;b&gt;"));
    for text in [
        "<script",
        "<img",
        "<a href='",
        "<svg onload",
        "\" onmouseover",
        "49<",
    ] {
        assert!(!body.contains(text), "{text}");
    }
    let hidden = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}\u{200b}".contains(c);
    assert!(!page.contains(hidden));
}

/// A driver with `rows` evidence rows on long paths.
fn driver(number: usize, rows: usize, start: Filetime) -> DriverFinding {
    let path = |n: usize| {
        format!(
            "C:\\Windows\\System32\\DriverStore\\FileRepository\\some_driver_package_{n}.inf_amd64_0123456789abcdef\\payload_{number}.dll"
        )
    };
    DriverFinding {
        name: format!("filter{number}.sys"),
        path: format!("C:\\Windows\\System32\\drivers\\filter{number}.sys"),
        company: Some(format!("Vendor {} GmbH", number % 7)),
        description: Some("File system filter".to_owned()),
        version: Some("1.2.3.4".to_owned()),
        base: "0xfffff80012340000".to_owned(),
        size: 65_536,
        third_party: true,
        basis: Basis::Company,
        role: Role::Driver,
        altitude: Some("320000".to_owned()),
        group: Some("FSFilter Anti-Virus".to_owned()),
        verdict: Verdict::Implicated,
        touches: Touches {
            file_stack: 1_000,
            ..Touches::default()
        },
        failures: 40,
        delays: 3,
        delay_us_max: 2_000_000.0,
        delay_us_total: 0.0,
        first: Some(start),
        last: Some(start.plus(400_000_000)),
        paths: (0..100)
            .map(|n| PathCount {
                path: path(n),
                touches: 10,
                failures: 1,
            })
            .collect(),
        paths_more: 12,
        evidence: (0..rows)
            .map(|n| Evidence {
                time: start.plus((n * 7_654_321 + number * 1_234_567) as u64 % 400_000_000),
                input: "boot_log.pml".to_owned(),
                event: n as u64,
                kind: TouchKind::FileStack,
                callback: None,
                operation: "CreateFile",
                path: path(n),
                target_path: None,
                result: Some("ACCESS DENIED".to_owned()),
                status: Some("0xc0000022".to_owned()),
                process: Some("TiWorker.exe".to_owned()),
                pid: Some(3_860),
                tid: Some(6_916),
                duration_us: Some(2_000_000.0),
                phase: None,
                reason: [Reason::Failure, Reason::Delay, Reason::Touch][n * 3 / rows],
                frames: vec![format!("filter{number}.sys+0x4c1a"); 3],
            })
            .collect(),
    }
}

#[test]
fn many_drivers_stay_within_a_few_megabytes() {
    let mut found = analysed(&boot_log());
    let start = found.window.start.unwrap();
    found.drivers = (0..15).map(|n| driver(n, 50, start)).collect();
    found.window.source = WindowSource::User;
    let page = html::page(&found, READER).unwrap();
    assert_well_formed(&page);
    // Few enough to be shown whole, each with its lane and its rows.
    assert!(page.contains("id=\"d14-e49\"") && page.contains("filter14.sys</tspan>"));

    found.drivers = (0..700).map(|n| driver(n, 50, start)).collect();
    let page = html::page(&found, READER).unwrap();
    assert_well_formed(&page);
    assert!(page.len() < 4 << 20, "{} bytes", page.len());
    assert!(page.contains("30 of 700 flagged drivers are drawn"));
    assert!(
        page.contains("30 of 1,000 touches"),
        "what is left out is told"
    );
    // No link leads nowhere.
    for link in page.split("href=\"#").skip(1) {
        let id = &link[..link.find('"').unwrap()];
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for part in bytes.chunks(3) {
        let mut three = [0; 4];
        three[1..=part.len()].copy_from_slice(part);
        let bits = u32::from_be_bytes(three);
        for digit in 0..4 {
            out.push(match digit <= part.len() {
                true => DIGITS[(bits >> (18 - 6 * digit)) as usize & 63] as char,
                false => '=',
            });
        }
    }
    out
}

#[test]
fn it_says_how_far_the_evidence_goes_and_what_failed() {
    let case = repository("traces/boot-trace");
    let page = report(&[&case]);
    assert_well_formed(&page);
    let found = findings(&[&case]);
    let reasons = found["suspects"].as_array().unwrap().iter();
    let failing = found["failing_operations"].as_array().unwrap().iter();
    let conflicts = found["conflicts"].as_array().unwrap().iter();
    let texts: Vec<&str> = reasons
        .map(|suspect| &suspect["reason"])
        .chain(failing.map(|row| &row["path"]))
        .chain(conflicts.map(|row| &row["path"]))
        .map(|text| text.as_str().unwrap())
        .collect();
    assert!(texts.len() > 5);
    for text in texts {
        assert!(body(&page).contains(&escaped(text)), "{text}");
    }
}
