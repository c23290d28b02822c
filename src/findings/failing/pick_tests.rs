use super::*;

const DENIED: u32 = 0xC000_0022;
const CORRUPT: u32 = 0xC000_014C;
const IO_FAILED: u32 = 0xC000_014D;
const SECOND: u64 = TICKS_PER_SECOND;

fn failed(event: u64, seconds: u64, path: &str, status: u32) -> Failed {
    let time = Filetime(1_000 * SECOND + seconds * SECOND);
    Failed {
        trace: 0,
        event,
        time,
        end: time.plus(10),
        class: Class::Registry,
        operation: "RegOpenKey",
        path: path.to_owned(),
        target: String::new(),
        status,
        process: 0,
        pid: Some(1),
        tid: Some(7),
        servicing: true,
        in_scope: true,
        telling: status != 0xC000_0034,
    }
}

fn hint(code: u32, seconds: u64) -> FailureHint {
    FailureHint {
        code: Some(code),
        time: Some(Filetime((1_000 + seconds) * SECOND)),
        inf: Some("oposdrv.inf".into()),
    }
}

fn events(chosen: &[Chosen]) -> Vec<u64> {
    chosen.iter().map(|chosen| chosen.failed.event).collect()
}

#[test]
fn the_logged_code_leads_back() {
    let list = [
        failed(1, 10, "HKLM\\DRIVERS", CORRUPT),
        failed(2, 80, "HKLM\\DRIVERS", CORRUPT),
        failed(3, 85, "HKLM\\DRIVERS\\oposdrv.inf_amd64_1", CORRUPT),
        failed(4, 90, "HKLM\\DRIVERS", CORRUPT),
        failed(5, 91, "C:\\Windows\\INF\\x.inf", DENIED),
        failed(6, 95, "HKLM\\DRIVERS\\a", CORRUPT),
    ];
    let mut picker = Picker::new(&hint(0x8007_03F1, 92));
    let chosen = picker.choose(&list);
    // On the INF first, then the nearest; the first is too early, the last too late, and one has another result.
    assert_eq!(events(&chosen), [3, 4]);
    assert!(chosen[0].inf_path && !chosen[0].last);
    assert_eq!((chosen[1].repeats, chosen[1].last), (2, true));
    assert_eq!(picker.out_of_reach, 2);
    assert!(chosen.iter().all(|c| c.code_match == CodeMatch::Exact));
}

#[test]
fn the_clock_of_the_log_is_coarse() {
    let list = [failed(1, 93, "HKLM\\DRIVERS", CORRUPT)];
    assert_eq!(Picker::new(&hint(1009, 92)).choose(&list).len(), 1);
    assert_eq!(Picker::new(&hint(1009, 90)).choose(&list).len(), 0);
}

#[test]
fn the_kind_is_asked_only_where_nothing_fits() {
    let kin = failed(1, 90, "HKLM\\DRIVERS", IO_FAILED);
    let exact = failed(2, 80, "HKLM\\DRIVERS", CORRUPT);
    let both = Picker::new(&hint(1009, 92)).choose(&[kin.clone(), exact]);
    assert_eq!(events(&both), [2]);
    let alone = Picker::new(&hint(1009, 92)).choose(&[kin]);
    assert_eq!(alone[0].code_match, CodeMatch::Related);
}

#[test]
fn the_thread_that_worked_on_the_inf_comes_first() {
    let mut other = failed(1, 91, "HKLM\\DRIVERS\\a", CORRUPT);
    other.tid = Some(8);
    let mine = failed(2, 88, "HKLM\\DRIVERS\\b", CORRUPT);
    let mut picker = Picker::new(&hint(1009, 92));
    picker.inf_threads.insert((0, 7));
    assert_eq!(events(&picker.choose(&[other, mine])), [2, 1]);
}

#[test]
fn without_a_log_what_is_grave_and_early_leads() {
    let list = [
        failed(1, 10, "C:\\Windows\\INF\\x.inf", DENIED),
        failed(2, 20, "HKLM\\DRIVERS", CORRUPT),
        failed(3, 30, "C:\\Windows\\INF\\x.inf", DENIED),
        failed(4, 5, "C:\\Windows\\INF\\x.inf", 0xC000_0034),
    ];
    let chosen = Picker::new(&FailureHint::default()).choose(&list);
    assert_eq!(events(&chosen), [2, 1]);
    assert_eq!(chosen[1].repeats, 2);
    assert!(chosen.iter().all(|c| c.code_match == CodeMatch::Unknown));
}

#[test]
fn only_servicing_is_asked() {
    let mut system = failed(1, 91, "HKLM\\DRIVERS", CORRUPT);
    system.servicing = false;
    assert!(Picker::new(&hint(1009, 92)).choose(&[system]).is_empty());
    let mut elsewhere = failed(2, 91, "HKLM\\SOFTWARE\\x", 0xC000_0034);
    elsewhere.in_scope = false;
    assert!(Picker::new(&hint(2, 92)).choose(&[elsewhere]).is_empty());
}

#[test]
fn no_more_than_twenty() {
    let list: Vec<Failed> = (0..100)
        .map(|n| failed(n, 60 + n % 30, &format!("HKLM\\DRIVERS\\{n}"), CORRUPT))
        .collect();
    assert_eq!(Picker::new(&hint(1009, 92)).choose(&list).len(), MOST);
}

#[test]
fn paths_of_an_inf() {
    for path in [
        "C:\\Windows\\INF\\OposDrv.inf",
        "C:\\Windows\\System32\\DriverStore\\FileRepository\\oposdrv.inf_amd64_1\\oposdrv.dll",
        "C:\\Windows\\WinSxS\\amd64_dual_oposdrv.inf_31bf3856ad364e35_10.0_none_1\\oposdrv.dll",
        "HKLM\\DRIVERS\\DriverDatabase\\DriverInfFiles\\oposdrv.inf",
    ] {
        assert!(names_inf(path, "oposdrv.inf"), "{path}");
    }
    for path in [
        "C:\\Windows\\INF\\xoposdrv.inf",
        "oposdrv.info",
        "",
        "C:\\oposdrv",
    ] {
        assert!(!names_inf(path, "oposdrv.inf"), "{path}");
    }
}
