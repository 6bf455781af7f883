// Names of the columns in English: `column|name` each. What they mean, the server says.

export const columnsEn = `
offered|Offered
ended|Ended
answered|Answered
abandoned|Abandoned
abandoned_short|Abandoned short
abandoned_ringing|Abandoned ringing
flow_out|Flowed out
flow_out_overflow|Flowed out: overflow
flow_out_timeout|Flowed out: timeout
flow_out_closed|Flowed out: closed
flow_out_full|Flowed out: full
flow_out_join_empty|Flowed out: join empty
flow_out_leave_empty|Flowed out: leave empty
flow_out_transferred|Flowed out: transferred
flow_out_answered_elsewhere|Flowed out: answered elsewhere
flow_out_abandoned_elsewhere|Flowed out: abandoned elsewhere
flow_out_system|Flowed out: system
callback_taken|Call-back taken
wait_answered|Waits of the answered
wait_abandoned|Waits of the abandoned
answered_within|Answered within threshold
abandoned_within|Abandoned within threshold
abandoned_short_within|Short abandoned within threshold
flow_out_within|Flowed out within threshold
callback_within|Call-back within threshold
reached_unanswered|Unanswered at threshold
answered_within_rings|Answered within three rings
self_served|Self-served
first_attempts|First attempts
first_attempts_answered|First attempts answered
attempts_unknown|Attempts, caller unknown
waiting|Waiting
longest_waiting|Longest wait
agents_signed_in|Agents signed in
agents_occupied|Agents occupied
agents_lost|Agents lost
agents_ringing|Agents ringing
agents_dialing|Agents dialing
agents_away|Agents away
agents_ready|Agents ready
backlog|Backlog
signed_in_clock|Signed-in clock
occupied_clock|Occupied clock
lost_clock|Lost clock
ringing_clock|Ringing clock
dialing_clock|Dialing clock
ready_clock|Ready clock
unsigned_clock|Unsigned clock
sign_ins|Sign ins
phone_keys|Phone keys
extra_slots_time|Extra slots time
extra_slots_busy_time|Extra slots busy time
away_clock|Away clock
away_count|Away count
talk_time|Talk time
hold_time|Hold time
consult_time|Consult time
conference_time|Conference time
interrupted_time|Interrupted time
acw_time|After-call time
dial_time|Dial time
ring_time|Ring time
offers|Offers
offers_missed|Offers missed
offers_rejected|Offers rejected
offers_customer_gone|Offers customer gone
outbound_dials|Outbound dials
outbound_connected|Outbound connected
dial_delay|Dial delay
handled|Handled
handled_inbound|Handled inbound
handle_talk|Talk of handles
handle_hold|Hold of handles
handle_acw|After-call work of handles
holds|Holds
consults|Consults
conferences|Conferences
ended_by_agent|Ended by agent
short_handles|Short handles
transfers_out_cold|Cold transfers
transfers_out_warm|Warm transfers
opened|Opened
resolved|Resolved
closed|Closed
reopened|Reopened
reworked|Reworked
cancelled|Cancelled
merged|Merged
escalated|Escalated
second_reports|Second reports
first_responses|First responses
slip_due|Slip due
slip_filed|Slip filed
opened_valid|Opened valid
opened_valid_resolved|Opened valid resolved
complaints_closed|Complaints closed
complaints_repeated|Complaints repeated
first_response|First response
first_response_unpaused|First response, unpaused
first_response_working|First response, working time
first_response_working_unpaused|First response, working time, unpaused
resolution|Resolution
resolution_unpaused|Resolution, unpaused
resolution_working|Resolution, working time
resolution_working_unpaused|Resolution, working time, unpaused
target_met|Target met
target_breached|Target breached
promise_met|Promise met
promise_broken|Promise broken
target_met_accept|Targets met: accept
target_breached_accept|Targets breached: accept
target_met_first_response|Targets met: first response
target_breached_first_response|Targets breached: first response
target_met_next_update|Targets met: next update
target_breached_next_update|Targets breached: next update
target_met_investigate|Targets met: investigate
target_breached_investigate|Targets breached: investigate
target_met_approve|Targets met: approve
target_breached_approve|Targets breached: approve
target_met_dispatch|Targets met: dispatch
target_breached_dispatch|Targets breached: dispatch
target_met_arrive|Targets met: arrive
target_breached_arrive|Targets breached: arrive
target_met_resolve|Targets met: resolve
target_breached_resolve|Targets breached: resolve
target_met_explain|Targets met: explain
target_breached_explain|Targets breached: explain
fcr_eligible|Issues eligible
fcr_held|Held at first contact
fcr_final|First contact, final
fcr_unidentified|First contact, unidentified
repeat_eligible|Contacts eligible for repeats
repeat_none|Contacts without a repeat
repeat_final|Repeats, final
contacts_handled|Contacts handled
contacts_handle_time|Contacts handle time
callbacks_made|Call-backs made
callback_time|Call-back time
fcr_failed|Failed at first contact
agent_days|Agent days
agent_days_compliant|Agent days compliant
agent_days_measured|Agent days measured
agent_days_over_target|Agent days over target
agent_months_measured|Agent months measured
agent_months_over_target|Agent months over target
aht|Average handle time
aht_talk|Average talk time
aht_journey|Average handle time of a journey
after_call_average|After-call average
hold_average|Hold average
abandon_rate|Abandon rate
abandon_rate_raw|Abandon rate, short ones included
abandon_rate_waiting|Abandon rate, while waiting
abandon_rate_ringing|Abandon rate, while ringing
asa|Average speed of answer
service_level|Service level
service_level_ignore_abandons|Service level, ignore abandons
service_level_abandons_positive|Service level, abandons positive
service_level_abandons_negative|Service level, abandons negative
service_level_answered_only|Service level, answered only
service_level_answered_and_abandoned|Service level, answered and abandoned
service_level_without_short|Service level, without short
service_level_with_flow_out|Service level, with flow out
service_level_with_flow_out_without_short|Service level, with flow out without short
service_level_with_flow_out_without_abandoned|Service level, with flow out without abandoned
occupancy|Occupancy
occupancy_slots|Occupancy of slots
utilisation|Utilisation
contacts_per_hour|Contacts per hour
contacts_per_hour_inbound|Inbound contacts per hour
callbacks_per_hour|Call-backs per hour
outbound_connect_rate|Outbound connect rate
connect_rate|Connect rate
first_attempt_connect_rate|First-attempt connect rate
transfer_rate|Transfer rate
transfer_rate_cold|Cold transfer rate
transfer_rate_warm|Warm transfer rate
rona_rate|Ring-no-answer rate
prompt_answer_rate|Prompt answer
agent_ends_first_rate|Agent hangs up first
fcr_rate|First-contact resolution
fcr_final_share|First-contact resolution, final share
fcr_repeat_form|First-contact resolution by repeats
repeat_final_share|By repeats, final share
efficiency_share|Efficiency share
efficiency_share_by_month|Efficiency share by month
away_compliance|Away compliance
reopen_rate|Reopen rate
rework_rate|Rework rate
completion_rate|Completion rate
target_compliance|Target compliance
target_compliance_first_response|Target compliance: first response
target_compliance_accept|Target compliance: accept
target_compliance_next_update|Target compliance: next update
target_compliance_investigate|Target compliance: investigate
target_compliance_approve|Target compliance: approve
target_compliance_dispatch|Target compliance: dispatch
target_compliance_explain|Target compliance: explain
timeliness|Timeliness
timeliness_arrive|Timeliness of arrival
repeat_complaint_rate|Repeat complaint rate
first_response_mean|Mean first response
first_response_mean_working|Mean first response, working time
resolution_mean|Mean resolution
resolution_mean_working|Mean resolution, working time
asa_p50|Speed of answer, median
asa_p90|Speed of answer, 90th percentile
abandon_wait_p50|Wait of the abandoned, median
abandon_wait_p90|Wait of the abandoned, 90th percentile
first_response_p50|First response, median
first_response_p90|First response, 90th percentile
first_response_p50_working|First response, working time, median
first_response_p90_working|First response, working time, 90th percentile
resolution_p50|Resolution, median
resolution_p90|Resolution, 90th percentile
resolution_p50_working|Resolution, working time, median
resolution_p90_working|Resolution, working time, 90th percentile
`;
