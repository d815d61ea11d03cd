with

laws as (

    select * from {{ ref('int_events__ruled') }}

),

decisions as (

    select * from {{ ref('int_events__decided') }}

),

purposes as (

    select distinct consent_purpose from {{ ref('destinations') }}
    where is_enabled is not null

),

asked as (

    select
        laws.event_key,
        purposes.consent_purpose,
        laws.regime as consent_regime,
        decisions.status_at_event as consent_at_event,
        decisions.status_at_as_of as consent_at_as_of,
        -- A withdrawal is not taken back by a later grant: that one is about what happens from then on.
        case
            when decisions.status_at_event is null and laws.regime = 'opt_in' then 'consent_missing'
            when decisions.status_at_event = 'denied' then 'consent_denied'
            when laws.regrant_revives and coalesce(decisions.status_at_as_of, 'granted') = 'granted' then null
            when decisions.withdrawn_at is not null then 'consent_withdrawn'
        end as objection,
        laws.regime = 'opt_out' and laws.on_denial = 'limited_data_use' as is_limitable,
        case
            when laws.regrant_revives then decisions.decided_at_as_of
            else decisions.withdrawn_at
        end as decided_since,
        {{ selected('decisions', ['decided_at_event', 'decided_at_as_of', 'withdrawn_at']) }}
    from laws
    cross join purposes
    left join decisions
        on laws.event_key = decisions.event_key and purposes.consent_purpose = decisions.purpose

),

events_consented as (

    select
        event_key,
        consent_purpose,
        consent_regime,
        consent_at_event,
        consent_at_as_of,
        -- The decision that this answer relies on: for a withdrawal the first denial after the event, from
        -- which on nothing may leave, or the latest word where it may change; for what a later grant revived
        -- that grant; a missing consent relies on none.
        case
            when objection = 'consent_withdrawn' then decided_since
            when objection = 'consent_missing' then null
            when objection is null and withdrawn_at is not null then decided_at_as_of
            else coalesce(decided_at_event, decided_at_as_of)
        end as consent_decided_at,
        case when not is_limitable then objection end as hold_reason,
        is_limitable and objection is not null as is_limited_data_use
    from asked

)

select * from events_consented
