//! `pegcount log restore`: a backup becomes a log again.

use pegcount_domain::envelope::Position;
use pegcount_log::tools::{self, Until};

use super::bar;
use crate::{args::RestoreArgs, error::CliError, figures::human::number, output, when};

/// Restores, and says what came of it.
pub(crate) fn run(args: &RestoreArgs) -> Result<(), CliError> {
    let until = match (args.to_position, &args.to_time) {
        (Some(position), _) => Until::Position(Position(position)),
        (None, Some(time)) => Until::Time(when::instant(time, &when::zone(&args.time_zone)?)?),
        (None, None) => Until::End,
    };
    let done = tools::restore(&args.backup, &args.to, until, &bar("restoring"))?;
    let left_out = match done.backup_end.0 - done.end.0 {
        0 => "nothing left out".to_owned(),
        events => format!("{} later events left out", number(events)),
    };
    output::line(format_args!(
        "{}: everything up to position {}, {left_out}\nincarnation {:032x}, before {:032x}\n\
         put a vault (`pegcount vault restore`) and `token.key` of the server beside it before it starts",
        done.dir.display(),
        number(done.end.0),
        done.incarnation.0,
        done.incarnation_before.0,
    ))
}
