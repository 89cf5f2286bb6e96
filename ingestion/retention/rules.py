"""What a rule of retention says, as SQL over governance.retention_policies (`rules`).

Belongs here: the words and the length of a rule. Does not belong here: what goes by it (`events`, `records`).
"""

WORDS = "concat_ws(' ', rules.retain_for, rules.retain_unit || ':', rules.basis)"
LENGTH = """
    case rules.retain_unit
        when 'day' then make_interval(days => rules.retain_for)
        when 'month' then make_interval(months => rules.retain_for)
        else make_interval(years => rules.retain_for)
    end
"""
