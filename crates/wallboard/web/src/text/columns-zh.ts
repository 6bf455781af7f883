// 各列的中文名称与含义：每行“列名|名称|含义”；指标的含义是公式，由其中各列的名称写出。

export const columnsZh = `
offered|呼入|开始排队的次数。
ended|排队结束|结束排队的次数，不论原因。
answered|接听|由坐席接听而结束。
abandoned|放弃|客户在等待中放弃，含振铃时。
abandoned_short|短时放弃|等待不超过队列短时限即放弃。
abandoned_ringing|振铃时放弃|设备振铃时放弃。
flow_out|流出|转往他处的排队。
flow_out_overflow|流出：溢出|因队列过长而转走。
flow_out_timeout|流出：超时|因等待过久而转走。
flow_out_closed|流出：下班|因队列关闭而转走。
flow_out_full|流出：满员|因没有空位而转走。
flow_out_join_empty|流出：到达时无人|到达时无人签入。
flow_out_leave_empty|流出：坐席走空|最后一名坐席离开。
flow_out_transferred|流出：转队列|转到另一队列。
flow_out_answered_elsewhere|他处接听|同一联系在另一排队中被接听。
flow_out_abandoned_elsewhere|他处放弃|同一联系已在另一排队中计为放弃。
flow_out_system|流出：故障|系统故障。
callback_taken|改为回呼|将给客户回电。
wait_answered|接听者等待合计|已接听者的等待时长之和。
wait_abandoned|放弃者等待合计|放弃者的等待时长之和。
answered_within|限时内接听|在阈值内接听。
abandoned_within|限时内放弃|在阈值内放弃。
abandoned_short_within|限时内短时放弃|在阈值内且属短时的放弃。
flow_out_within|限时内流出|在阈值内流出（不含“他处”）。
callback_within|限时内改回呼|在阈值内改为回呼。
reached_unanswered|到时未接|到达阈值时仍在等待。
answered_within_rings|三声内接听|在三声铃响内接听。
self_served|自助完成|由菜单或机器服务、从未要求进入队列的联系。
first_attempts|首次来电|该客户对该入口 30 分钟内没有更早的联系。
first_attempts_answered|首次来电接听|其中被接听的首次来电。
attempts_unknown|未知来电|客户身份不明的联系。
waiting|排队中|该时刻正在等待的排队数。
longest_waiting|最长等待|其中等待最久者到该时刻的时长。
agents_signed_in|在线坐席|该时刻签入的坐席。
agents_occupied|占用坐席|其中正在联系或话后处理的。
agents_lost|断线坐席|其中连接中断的。
agents_ringing|振铃坐席|其中设备正在振铃的。
agents_dialing|外拨坐席|其中正在拨号的。
agents_away|离席坐席|其中离席的。
agents_ready|就绪坐席|其中就绪的。
backlog|未结工单|该时刻未结的工单。
signed_in_clock|签入时长|签入状态的时长。
occupied_clock|占用时长|至少有一个联系或话后处理的时长。
lost_clock|断线时长|连接中断的时长。
ringing_clock|振铃状态时长|设备振铃的时长。
dialing_clock|外拨状态时长|正在拨号的时长。
ready_clock|就绪时长|就绪的时长。
unsigned_clock|未签入联系时长|签入之外的联系时长。
sign_ins|签入次数|签入的次数。
phone_keys|按键次数|操控或干扰话机的按键。
extra_slots_time|附加席位可用时长|坐席在首个席位之外的席位可用时长。
extra_slots_busy_time|附加席位占用时长|坐席在首个席位之外的席位占用时长。
away_clock|离席时长|离席的时长。
away_count|离席次数|离席的次数。
talk_time|通话时长|正在通话。
hold_time|保持时长|客户被保持。
consult_time|咨询时长|正在咨询。
conference_time|会议时长|正在会议通话。
interrupted_time|被打断时长|被另一联系打断。
acw_time|话后时长|话后处理。
dial_time|拨号时长|正在拨号。
ring_time|振铃时长|正在振铃。
offers|派发|派发给坐席的次数，计于其结束时。
offers_missed|振铃未接|振铃而无应答。
offers_rejected|拒接|被坐席拒绝。
offers_customer_gone|振铃时客户离开|振铃时客户已离开。
outbound_dials|外拨次数|已拨出。
outbound_connected|外拨接通|拨出且被接听。
dial_delay|拨号延迟|从任务派发到拨号。
handled|处理量|已完成的通话段。
handled_inbound|呼入处理量|来自客户的联系中已完成的通话段。
handle_talk|处理：通话|已完成通话段的通话、咨询与会议。
handle_hold|处理：保持|已完成通话段的保持。
handle_acw|处理：话后|已完成通话段的话后处理。
holds|保持次数|客户被保持的次数。
consults|咨询次数|咨询的次数。
conferences|会议次数|会议通话的次数。
ended_by_agent|坐席先挂|由坐席结束的通话段。
short_handles|超短通话|通话不超过 10 秒的通话段。
transfers_out_cold|盲转|未事先告知即转出的通话段。
transfers_out_warm|洽转|与接收方说明后转出的通话段。
opened|新建工单|新建的工单。
resolved|已解决工单|办结的工单：解决，以及此前没有解决的关闭。
closed|已关闭工单|关闭的工单。
reopened|重开|被撤销的解决，计于原解决处。
reworked|返工|其中须重做的。
cancelled|作废工单|因不成立而作废的工单。
merged|并入工单|并入另一工单继续的工单。
escalated|升级次数|工单提交上级的次数。
second_reports|重复反映|同一事项的再次反映，计于首接人。
first_responses|首次答复工单|客户得到首次答复的工单：告知、解决或作废。
slip_due|应归档回单|有人到场的上门服务。
slip_filed|已归档回单|其中回单已归档的，计于到场时。
opened_valid|有效新建|新建的工单，不含无效与并入的。
opened_valid_resolved|有效已结|其中已办结的，计于新建时。
complaints_closed|已关闭投诉|已关闭的投诉，计于最后一次关闭。
complaints_repeated|重复投诉|其中同一事项被再次反映的。
first_response|首次答复用时|从新建到首次答复。
first_response_unpaused|首次答复用时（不含挂起）|同上，不含挂起的时间。
first_response_working|首次答复工时|从新建到首次答复的工作时间。
first_response_working_unpaused|首次答复工时（不含挂起）|同上，不含挂起的时间。
resolution|解决用时|从新建到解决。
resolution_unpaused|解决用时（不含挂起）|同上，不含挂起或已解决的时间。
resolution_working|解决工时|从新建到解决的工作时间。
resolution_working_unpaused|解决工时（不含挂起）|同上，不含挂起或已解决的时间。
target_met|按时达标|按时完成的时限，计于到期时。
target_breached|超时未达|未按时完成的时限，计于到期时。
promise_met|承诺兑现|兑现的承诺时间，计于到期时。
promise_broken|承诺未兑现|既未兑现、也未及时改期的承诺时间。
target_met_accept|受理达标|按时完成的受理时限。
target_breached_accept|受理超时|未按时完成的受理时限。
target_met_first_response|首次答复达标|按时完成的首次答复时限。
target_breached_first_response|首次答复超时|未按时完成的首次答复时限。
target_met_next_update|进展告知达标|按时完成的进展告知时限。
target_breached_next_update|进展告知超时|未按时完成的进展告知时限。
target_met_investigate|调查达标|按时完成的调查时限。
target_breached_investigate|调查超时|未按时完成的调查时限。
target_met_approve|审批达标|按时完成的审批时限。
target_breached_approve|审批超时|未按时完成的审批时限。
target_met_dispatch|派单达标|按时完成的派单时限。
target_breached_dispatch|派单超时|未按时完成的派单时限。
target_met_arrive|到场达标|按时完成的到场时限。
target_breached_arrive|到场超时|未按时完成的到场时限。
target_met_resolve|解决达标|按时完成的解决时限。
target_breached_resolve|解决超时|未按时完成的解决时限。
target_met_explain|说明达标|按时完成的说明时限。
target_breached_explain|说明超时|未按时完成的说明时限。
fcr_eligible|首解可计事项|可计入首次联系解决率的事项。
fcr_held|首解成立|首次联系即解决、此后无再反映。
fcr_final|首解已定论|已失败，或已过等待期仍成立。
fcr_unidentified|首解身份不明|因客户身份不明而不计。
repeat_eligible|可计重复的联系|身份已知客户的已接听联系。
repeat_none|无重复联系|其中此后没有再次被接听的联系。
repeat_final|重复已定论|可计者中不会再变的。
contacts_handled|已处理联系|每个已接听通话段都已完成的联系。
contacts_handle_time|联系处理时长|其所有通话段的通话、保持与话后处理。
callbacks_made|回呼量|我方回呼中已完成的通话段。
callback_time|回呼时长|这些通话段的通话、保持与话后处理。
fcr_failed|首解失败|首次联系未解决、或解决不久的事项。
agent_days|坐席日|坐席签入过的当地日，计于该日结束后。
agent_days_compliant|合规坐席日|其中各项额度均未超出的。
agent_days_measured|可计坐席日|其中可用至少 1 小时的：签入，且未离席、未断线。
agent_days_over_target|超目标坐席日|可计者中每可用小时呼入联系高于效率目标的。
agent_months_measured|可计坐席月|坐席可用至少 1 小时的当地月，计于该月结束后。
agent_months_over_target|超目标坐席月|可计者中每可用小时呼入联系高于效率目标的。
aht|平均处理时长|
aht_talk|平均通话时长|
aht_journey|全程平均处理时长|
after_call_average|平均话后时长|
hold_average|平均保持时长|
abandon_rate|放弃率|
abandon_rate_raw|放弃率（含短时）|
abandon_rate_waiting|放弃率（等待中）|
abandon_rate_ringing|放弃率（振铃时）|
asa|平均应答速度|
service_level|服务水平|
service_level_ignore_abandons|服务水平（不计放弃）|
service_level_abandons_positive|服务水平（放弃算达标）|
service_level_abandons_negative|服务水平（放弃算未达标）|
service_level_answered_only|服务水平（仅接听）|
service_level_answered_and_abandoned|服务水平（接听与放弃）|
service_level_without_short|服务水平（不含短时放弃）|
service_level_with_flow_out|服务水平（含流出）|
service_level_with_flow_out_without_short|服务水平（含流出，不含短时放弃）|
service_level_with_flow_out_without_abandoned|服务水平（含流出，不含放弃）|
occupancy|占用率|
occupancy_slots|席位占用率|
utilisation|利用率|
contacts_per_hour|每小时处理量|
contacts_per_hour_inbound|每小时呼入处理量|
callbacks_per_hour|每小时回呼量|
outbound_connect_rate|外拨接通率|
connect_rate|接通率|
first_attempt_connect_rate|首次来电接通率|
transfer_rate|转接率|
transfer_rate_cold|盲转率|
transfer_rate_warm|洽转率|
rona_rate|振铃未接率|
prompt_answer_rate|三声内接听率|
agent_ends_first_rate|坐席先挂率|
fcr_rate|首次联系解决率|
fcr_final_share|首解已定论占比|
fcr_repeat_form|无重复联系率|
repeat_final_share|重复已定论占比|
efficiency_share|效率达标率|
efficiency_share_by_month|效率达标率（按月）|
away_compliance|离席合规率|
reopen_rate|重开率|
rework_rate|返工率|
completion_rate|办结率|
target_compliance|时限达标率|
target_compliance_first_response|首次答复达标率|
target_compliance_accept|受理达标率|
target_compliance_next_update|进展告知达标率|
target_compliance_investigate|调查达标率|
target_compliance_approve|审批达标率|
target_compliance_dispatch|派单达标率|
target_compliance_explain|说明达标率|
timeliness|及时率|
timeliness_arrive|到场及时率|
repeat_complaint_rate|重复投诉率|
first_response_mean|平均首次答复用时|
first_response_mean_working|平均首次答复工时|
resolution_mean|平均解决用时|
resolution_mean_working|平均解决工时|
asa_p50|应答等待中位数|已接听者等待的中位数（最近秩，误差 2% 以内）
asa_p90|应答等待 90 分位|已接听者等待的第 90 百分位（最近秩，误差 2% 以内）
abandon_wait_p50|放弃等待中位数|放弃者等待的中位数（最近秩，误差 2% 以内）
abandon_wait_p90|放弃等待 90 分位|放弃者等待的第 90 百分位（最近秩，误差 2% 以内）
first_response_p50|首次答复中位数|首次答复用时的中位数（最近秩，误差 2% 以内）
first_response_p90|首次答复 90 分位|首次答复用时的第 90 百分位（最近秩，误差 2% 以内）
first_response_p50_working|首次答复工时中位数|首次答复工时的中位数（最近秩，误差 2% 以内）
first_response_p90_working|首次答复工时 90 分位|首次答复工时的第 90 百分位（最近秩，误差 2% 以内）
resolution_p50|解决用时中位数|解决用时的中位数（最近秩，误差 2% 以内）
resolution_p90|解决用时 90 分位|解决用时的第 90 百分位（最近秩，误差 2% 以内）
resolution_p50_working|解决工时中位数|解决工时的中位数（最近秩，误差 2% 以内）
resolution_p90_working|解决工时 90 分位|解决工时的第 90 百分位（最近秩，误差 2% 以内）
`;

/** 公式里的话。 */
export const formulaWordsZh: [string, string][] = [
  [", flow-outs elsewhere left out", "，不含“他处”的流出"],
  [": all legs of a contact together", "：同一联系的所有通话段合计"],
  ["hours(", "小时数("],
];
