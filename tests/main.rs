//! All integration tests, as one program: linking the library once a file would take longer than running them.

mod common;

mod archives;
mod batch;
mod causes;
mod cli;
mod clocks;
mod damage;
mod damage_matrix;
mod etl_census;
mod etl_filters;
mod etl_info;
mod etl_payloads;
mod etl_payloads_more;
mod etl_scope;
mod etl_selfdescribing;
mod etl_story;
mod etl_trace;
mod etl_vectors;
mod etl_vectors_more;
mod hand_made;
mod hostile;
mod lang;
mod levels;
mod limits;
mod outputs;
mod procmon_export;
mod real_logs;
mod report;
mod same_answer;
mod servicing_logs;
mod split;
mod story;
mod window_from_logs;
mod xlsx;
