//! How long the national cryptography takes natively: `cargo bench -p suishen-core --bench crypto`, or beside its peers
//! `cargo xtask bench crypto`.

mod processor;
mod works;

use criterion::{Criterion, criterion_group, criterion_main};
use processor::ProcessorTime;
use std::time::Duration;
use works::{Work, Works};

fn crypto(criterion: &mut Criterion<ProcessorTime>) {
    let mut works = Works::default();
    for work in Work::ALL {
        assert!(works.run(work), "{} fails", work.name());
        criterion.bench_function(work.name(), |bencher| bencher.iter(|| works.run(work)));
    }
}

criterion_group! {
    name = all;
    config = Criterion::default()
        .with_measurement(ProcessorTime)
        .sample_size(40)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    targets = crypto
}
criterion_main!(all);
