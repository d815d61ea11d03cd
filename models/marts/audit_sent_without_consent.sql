-- Longer than usual because it repeats the rule of consent, apart from the models that decide.
with

sent as (

    select * from {{ ref('int_events__sent') }}

),

laws as (

    select * from {{ ref('int_events__ruled') }}

),

subjects as (

    select * from {{ ref('int_events__subjects') }}

),

decisions as (

    select * from {{ ref('int_consent__gathered') }}

),

-- What the law lets leave with a mark after a denial needs no permission but that.
bound as (

    select
        sent.*,
        {{ selected('laws', ['regime', 'gpc_is_denial', 'regrant_revives']) }}
    from sent
    inner join laws on sent.event_key = laws.event_key
    where not (laws.regime = 'opt_out' and laws.on_denial = 'limited_data_use')

),

-- What had been said when it left, by anybody who speaks for the event.
said as (

    select
        {{ selected('bound', ['destination_id', 'event_key', 'occasion', 'event_at']) }},
        {{ selected('decisions', ['subject_type', 'subject_id', 'status', 'decided_at']) }}
    from bound
    inner join subjects on bound.event_key = subjects.event_key
    inner join decisions
        on
            subjects.subject_type = decisions.subject_type
            and subjects.subject_id = decisions.subject_id
            and bound.consent_purpose = decisions.purpose
            and bound.gpc_is_denial = decisions.heeds_signals
            and bound.left_at >= decisions.decided_at

),

by_subject as (

    select
        destination_id,
        event_key,
        occasion,
        subject_type in ('other_account', 'lender') as objects,
        max(case when status = 'granted' and decided_at <= event_at then decided_at end) as granted_before,
        max(case when status = 'denied' and decided_at <= event_at then decided_at end) as denied_before,
        min(case when status = 'denied' and coalesce(decided_at > event_at, true) then decided_at end)
            as withdrawn_at,
        max(case when status = 'granted' then decided_at end) as granted_last,
        max(case when status = 'denied' then decided_at end) as denied_last
    from said
    group by destination_id, event_key, occasion, subject_type, subject_id

),

-- Who only objects grants nothing, and has not objected where they took it back.
summed as (

    select
        destination_id,
        event_key,
        occasion,
        {% for then in ['before', 'last'] -%}
            max(case when not objects then granted_{{ then }} end) as granted_{{ then }},
            max(case
                when not objects or denied_{{ then }} >= coalesce(granted_{{ then }}, denied_{{ then }})
                    then denied_{{ then }}
            end) as denied_{{ then }},
        {% endfor -%}
        min(withdrawn_at) as withdrawn_at
    from by_subject
    group by destination_id, event_key, occasion

),

judged as (

    select
        bound.*,
        case
            when summed.denied_before >= coalesce(summed.granted_before, summed.denied_before)
                then 'consent_denied'
            when bound.regime = 'opt_in' and summed.granted_before is null then 'consent_missing'
            when summed.withdrawn_at is null then null
            when
                bound.regrant_revives
                and (summed.denied_last is null or summed.granted_last > summed.denied_last)
                then null
            else 'consent_withdrawn'
        end as broken_rule,
        summed.denied_before,
        summed.withdrawn_at
    from bound
    left join summed
        on
            bound.destination_id = summed.destination_id
            and bound.event_key = summed.event_key
            and bound.occasion = summed.occasion

),

sent_without_consent as (

    select
        destination_id,
        event_key,
        event_name,
        event_id,
        event_at,
        consent_purpose,
        occasion,
        left_at,
        state as delivery_state,
        broken_rule,
        case broken_rule
            when 'consent_denied' then denied_before
            when 'consent_withdrawn' then withdrawn_at
        end as decided_at,
        {{ as_of() }} as as_of
    from judged
    where broken_rule is not null

)

select * from sent_without_consent
