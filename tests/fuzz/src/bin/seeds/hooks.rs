//! The calls that instrumented code makes, without effect: nothing watches this program.

use std::ffi::c_void;

macro_rules! ignored {
    ($($name:ident($($argument:ty),*);)*) => {
        $(
            #[unsafe(no_mangle)]
            extern "C" fn $name($(_: $argument),*) {}
        )*
    };
}

ignored! {
    __sanitizer_cov_8bit_counters_init(*const c_void, *const c_void);
    __sanitizer_cov_pcs_init(*const c_void, *const c_void);
    __sanitizer_cov_trace_pc_indir(usize);
    __sanitizer_cov_trace_cmp1(u8, u8);
    __sanitizer_cov_trace_cmp2(u16, u16);
    __sanitizer_cov_trace_cmp4(u32, u32);
    __sanitizer_cov_trace_cmp8(u64, u64);
    __sanitizer_cov_trace_const_cmp1(u8, u8);
    __sanitizer_cov_trace_const_cmp2(u16, u16);
    __sanitizer_cov_trace_const_cmp4(u32, u32);
    __sanitizer_cov_trace_const_cmp8(u64, u64);
    __sanitizer_cov_trace_switch(u64, *const c_void);
}
