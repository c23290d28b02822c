use super::*;
use crate::drivers::identify;
use crate::findings::analyze::CaseInput;
use crate::findings::failing::Relation;
use crate::input::view::Source;
use crate::pml::PmlTrace;
use crate::trace::{Batch, Class, Memo, Silent, Trace};
use std::path::Path;
use tracegen::scenario::{START, boot_case, clean_case, held_case};

const SECOND: u64 = TICKS_PER_SECOND;

fn causes(bytes: Vec<u8>, hint: &FailureHint) -> Causes {
    let path = Path::new("made.pml");
    let trace = PmlTrace::from_source(Source::Memory(bytes.into()), path, &|_| ()).unwrap();
    let options = Options::default();
    let lists = vec![identify(trace.info(), &options.rules.observers)];
    let case = Case {
        logs: crate::findings::CaseLogs::default(),
        inputs: vec![CaseInput {
            name: "made.pml".into(),
            trace: &trace,
        }],
    };
    let window = Filetime(START)..=Filetime(START + 300 * SECOND);
    let mut search = Search::new(&case, hint);
    let found = {
        let surveying = search.surveying(0, &case.inputs[0], &options, &window);
        let surveyor = surveying.begin();
        let (memo, inf_memo) = (Memo::default(), Memo::default());
        let on_inf = |_: Class, path: &str, target: &str| surveying.on_inf(path, target);
        let mut found = Survey {
            servicing: surveyor.finds_servicing(),
            ..Survey::default()
        };
        for unit in 0..trace.units() {
            let (mut batch, mut work) = (Batch::default(), Batch::default());
            let want = surveyor.want();
            if let Some(select) = surveyor.select(&memo) {
                trace.decode(unit, &want, &select, &mut batch).unwrap();
            }
            if let Some(select) = surveyor.select_inf(&on_inf, &inf_memo) {
                trace.decode(unit, &want, &select, &mut work).unwrap();
            }
            found.take(surveyor.look(&batch, &work));
        }
        found
    };
    search.take(found);
    find_causes(&case, &lists, &options, search, hint, &Silent).unwrap()
}

fn hint(code: u32, seconds: u64) -> FailureHint {
    FailureHint {
        code: Some(code),
        time: Some(Filetime(START + seconds * SECOND)),
        inf: Some("oposdrv.inf".into()),
    }
}

#[test]
fn from_1009_to_the_hive() {
    let found = causes(boot_case().bytes(), &hint(0x8007_03F1, 72));
    assert_eq!(found.failing_operations_note, None);
    let first = &found.failing_operations[0];
    assert!(first.inf_path && first.inf_thread, "{first:?}");
    assert_eq!(first.operation, "RegOpenKey");
    let load = &found.failing_operations[1];
    assert_eq!(
        (load.operation, &*load.result),
        ("RegLoadKey", "REGISTRY CORRUPT")
    );
    for failing in &found.failing_operations {
        assert_eq!(failing.status, "0xc000014c");
        let before = failing.before_failure_us.unwrap();
        assert!((0.0..2e6).contains(&before), "{before}");
        let refused = failing
            .touched_before
            .iter()
            .find(|touch| touch.refused && touch.process.as_deref() == Some("System"));
        let refused = refused.unwrap();
        assert_eq!(refused.relation, Relation::HiveFile);
        assert_eq!(refused.drivers, ["tmsflt.sys"]);
    }
    assert_eq!(found.failing_operations.len(), 2);
    assert!(first.last_before_failure && !load.last_before_failure);
}

#[test]
fn a_denial_is_one_of_a_family() {
    let found = causes(boot_case().bytes(), &hint(0x8007_0005, 71));
    assert_eq!(found.failing_operations.len(), 3);
    for failing in &found.failing_operations {
        assert_eq!(failing.code_match, super::super::failing::CodeMatch::Family);
        assert_eq!(failing.result, "ACCESS DENIED");
    }
    let repeats: Vec<u64> = found.failing_operations.iter().map(|f| f.repeats).collect();
    assert_eq!(repeats, [1, 3, 3]);
}

#[test]
fn a_sharing_violation_leads_to_its_conflict() {
    let found = causes(held_case().0.bytes(), &hint(0x8007_0020, 68));
    let failing = &found.failing_operations[0];
    assert_eq!(failing.result, "SHARING VIOLATION");
    let conflict = found.conflicts.iter().find(|c| c.path == failing.path);
    assert!(conflict.unwrap().holders[0].third_party);
    // By its other name.
    let by_vendor = |touch: &&crate::findings::failing::TouchBefore| touch.third_party;
    assert!(failing.touched_before.iter().any(|touch| by_vendor(&touch)));
}

#[test]
fn what_is_not_there_is_said_to_be_not_there() {
    let found = causes(clean_case().bytes(), &hint(0x8007_03F1, 72));
    let note = found.failing_operations_note.unwrap();
    assert!(note.text.en().contains("ERROR_BADDB"), "{}", note.text);
    assert!(found.failing_operations.is_empty() && found.conflicts.is_empty());
    let late = causes(boot_case().bytes(), &hint(0x8007_03F1, 290));
    let said = format!("{:?}", late.failing_operations_note.unwrap().reasons);
    assert!(
        said.contains("behind the trace") && said.contains("60 s"),
        "{said}"
    );
    // One that was translated twice.
    let kin = causes(boot_case().bytes(), &hint(0x8007_03F8, 72));
    assert!(kin.failing_operations_note.is_some());
    assert_eq!(kin.failing_operations[0].result, "REGISTRY CORRUPT");
}
