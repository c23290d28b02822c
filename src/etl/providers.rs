//! Names of event classes and providers that traces do not name themselves.

use super::guid::Guid;
use super::hooks::group_of_class;

/// The class of lost-event records, which a session writes where a consumer fell behind.
pub const LOST_EVENT: Guid = Guid::new(0x6a399ae0_4bc6_4de9_870b_3657f8947e7e);
/// What a merge adds on images: identity, symbols, file version.
pub const IMAGE_ID: Guid = Guid::new(0xb3e675d7_2554_4f18_830b_2762732560de);
/// What a merge adds on the system: build, volumes, network.
pub const SYSTEM: Guid = Guid::new(0x9b79ee91_b5fd_41c0_a243_4248e266e9d0);
/// What a merge adds on events: their definitions.
pub const EVENT_METADATA: Guid = Guid::new(0xbbccf6c1_6cd1_48c4_80ff_839482e37671);

/// The name of a provider or event class.
pub fn provider_name(guid: Guid) -> Option<&'static str> {
    let known = NAMES.iter().find(|(id, _)| Guid::new(*id) == guid);
    known
        .map(|(_, name)| *name)
        .or_else(|| group_of_class(guid).map(|group| group.name))
}

#[rustfmt::skip]
const NAMES: &[(u128, &str)] = &[
    (0x6a399ae0_4bc6_4de9_870b_3657f8947e7e, "Lost Event"),
    (0xb3e675d7_2554_4f18_830b_2762732560de, "KernelTraceControl/ImageID"),
    (0x9b79ee91_b5fd_41c0_a243_4248e266e9d0, "KernelTraceControl/System"),
    (0xbbccf6c1_6cd1_48c4_80ff_839482e37671, "KernelTraceControl/EventMetadata"),
    (0xed54dff8_c409_4cf6_bf83_05e1e61a09c4, "KernelTraceControl/WinSAT"),
    (0xbf6ef1cb_89b5_490a_80ac_b180cfbcff0f, "KernelTraceControl/PerfTrack"),
    (0xe13c0d23_ccbc_4e12_931b_d9cc2eee27e4, "Microsoft-Windows-DotNETRuntime"),
    (0xa669021c_c450_4609_a035_5af59af4df18, "Microsoft-Windows-DotNETRuntimeRundown"),
    (0x763fd754_7086_4dfe_95eb_c01a46faf4ca, "Microsoft-Windows-DotNETRuntimePrivate"),
    (0xedd08927_9cc4_4e65_b970_c2560fb5c289, "Microsoft-Windows-Kernel-File"),
    (0xb675ec37_bdb6_4648_bc92_f3fdc74d3ca2, "Microsoft-Windows-Kernel-EventTracing"),
    (0x2e5dba47_a3d2_4d16_8ee0_6671ffdcd7b5, "System.Threading.Tasks.TplEventSource"),
    (0x8e9f5090_2d75_4d03_8a81_e5afbf85daf1, "System.Diagnostics.Eventing.FrameworkEventSource"),
    (0xa8a71ac1_040f_54a2_07ca_00a89b5ab761, "PerfView"),
    (0x0b7a6f19_47c4_454e_8c5c_e868d637e4d8, "WUTraceLogging"),
    (0x9906081d_e45a_4f41_a53f_2ac2e0225de1, "SIHTraceLogging"),
    (0x30d25124_a468_505c_de82_8411646eb8b5, "Microsoft.Windows.WaaSMedic.Local"),
    (0x8e805eb3_6a8f_4a1e_90fa_a831d94e54a1, "AmsiTrace"),
    (0x0cd1c309_0878_4515_83db_749843b3f5c9, "Microsoft.Windows.Subsystem.LxCore"),
    (0xadb401e1_5296_51f8_c125_5fda75826144, "Microsoft-Diagnostics-DiagnosticSource"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(provider_name(LOST_EVENT), Some("Lost Event"));
        let image = Guid::new(0x2cb15d1d_5fc1_11d2_abe1_00a0c911f518);
        assert_eq!(provider_name(image), Some("Image"));
        assert_eq!(provider_name(Guid::NIL), None);
    }
}
