//! Which variant's column a form of a formula version stands for.

use pegcount_domain::formula::{AbandonForm, HandleTimeForm, ServiceLevelForm};

pub(super) const fn handle_time(form: HandleTimeForm) -> &'static str {
    match form {
        HandleTimeForm::Leg => "aht",
        HandleTimeForm::Journey => "aht_journey",
        HandleTimeForm::Talk => "aht_talk",
    }
}

pub(super) const fn abandon_rate(form: AbandonForm) -> &'static str {
    match form {
        AbandonForm::WithoutShort => "abandon_rate",
        AbandonForm::Raw => "abandon_rate_raw",
        AbandonForm::Waiting => "abandon_rate_waiting",
        AbandonForm::Ringing => "abandon_rate_ringing",
    }
}

pub(super) const fn service_level(form: ServiceLevelForm) -> &'static str {
    match form {
        ServiceLevelForm::Standard => "service_level",
        ServiceLevelForm::IgnoreAbandons => "service_level_ignore_abandons",
        ServiceLevelForm::AbandonsPositive => "service_level_abandons_positive",
        ServiceLevelForm::AbandonsNegative => "service_level_abandons_negative",
        ServiceLevelForm::AnsweredOnly => "service_level_answered_only",
        ServiceLevelForm::AnsweredAndAbandoned => "service_level_answered_and_abandoned",
        ServiceLevelForm::WithoutShort => "service_level_without_short",
        ServiceLevelForm::WithFlowOut => "service_level_with_flow_out",
        ServiceLevelForm::WithFlowOutWithoutShort => "service_level_with_flow_out_without_short",
        ServiceLevelForm::WithFlowOutWithoutAbandoned => "service_level_with_flow_out_without_abandoned",
    }
}
