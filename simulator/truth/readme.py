"""The page that lies beside the truth and says what each file means. Text only."""

README = """# Truth

What a right warehouse must say about the sample beside this folder, computed from the simulator's own
world and never from the written files. Days are the tenant's own calendar days; ids are the
warehouse's (`tenant_id`, `user_id`: UUIDs by the identity convention). Everything is as of
`summary.json`'s `as_of`, the newest `received_at` in the sample.

| file | one row per | meaning |
|---|---|---|
| `mrr_daily.csv` | day × customer with MRR | MRR at the end of the tenant's day under policy `standard`, in US cents, exact (8 decimals). Rows from the window's first day; customers with no MRR have no row. `customer_id`: the Stripe customer, or RevenueCat's user. `user_id` is empty where a company pays for itself |
| `mrr_daily_total.csv` | day × product, as far as every tenant has reached the day | opening, movements (positive amounts; `fx` is signed), `net_mrr_cents` (closing), past-due part, customers. opening + new + reactivation + expansion − contraction − churn + fx = closing |
| `subscriptions_ended.csv` | subscription that ended | when and why |
| `dau_daily.csv` | day × product × tenant with use | distinct people with any event; `new_users`: their first event ever; `is_complete` false for the running day |
| `sessions_daily.csv` | day × product × tenant with use | sessions that began that day (named ones, and runs of unnamed events without a gap over 30 minutes); minutes from first to last event; distinct clock minutes with an event, summed over sessions |
| `cohort_retention.csv` | product × tenant × cohort type × cohort × period × mode | cohort of first-ever event; only periods wholly over on the last complete day; weeks start on Monday |
| `fact_productivity.csv` | day × UpCoach user who did anything | goals completed, habit check-ins that stand (rows, not their `count`), average mood, chats begun, tasks done, sessions begun, their active minutes, payments less refunds of the day in US cents |
| `shift_fill.csv` | shift that was not cancelled | the hidden chance of being filled; guards who have accepted by `as_of` (`filled_count`) and who will have by its start (`final_count`) |
| `cdc_state.csv` | product × table | rows that live in the source table at the end |
| `planted.jsonl` | planted defect | what, where (file below `landing/`, line from 1), and the right treatment |
| `summary.json` | – | files and lines by source, window, `as_of`, counts of plants |

Expected treatments: `stored` (as if nothing were wrong), `stored_on_its_own_date`, `dated_by_received_at` (flagged),
`stored_with_every_digit`, `ignored_as_duplicate`, `conflict_logged_earliest_received_stays`, `stored_and_drift_reported`,
`rejected` (with a reason, file and line), `ignored` (nothing there to store), `stored_not_counted`,
`state_unchanged`, `earlier_value_stays`, `not_stored_and_reported`.
"""
