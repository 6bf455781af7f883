//! The clock that gives `recorded_at`, as a port: the demo, the simulator and the tests bring their own.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use pegcount_domain::time::Micros;

/// Says what time it is. It may stand still or go back; the log never lets `recorded_at` go back.
pub type Clock = Arc<dyn Fn() -> Micros + Send + Sync>;

/// The system's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Micros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX))
    })
}
