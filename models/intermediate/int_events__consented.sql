-- Longer than usual because rule, answer and what it relies on belong in one view.
with

events as (

    select * from {{ ref('int_events__identified') }}

),

decisions as (

    select * from {{ ref('int_events__decided') }}

),

policy as (

    select * from {{ ref('consent_policy') }}

),

purposes as (

    select distinct consent_purpose from {{ ref('destinations') }}

),

-- The region's rule beats the country's; where neither is named, opt-in. Each US state has its own law,
-- so a rule for all of them says nothing where the state is not known.
ruled as (

    select
        events.event_key,
        coalesce(regional.regime, national.regime, 'opt_in') as regime,
        coalesce(regional.on_denial, national.on_denial, 'hold') as on_denial
    from events
    left join policy as regional
        on events.country_code = regional.country_code and events.region_code = regional.region_code
    left join policy as national
        on
            events.country_code = national.country_code
            and national.region_code is null
            and (events.country_code <> 'US' or events.region_code is not null)

),

asked as (

    select
        ruled.event_key,
        purposes.consent_purpose,
        ruled.regime as consent_regime,
        decisions.status_at_event as consent_at_event,
        decisions.status_at_as_of as consent_at_as_of,
        case
            when decisions.status_at_event is null and ruled.regime = 'opt_in' then 'consent_missing'
            when decisions.status_at_event = 'denied' then 'consent_denied'
            when decisions.status_at_as_of = 'denied' then 'consent_withdrawn'
        end as objection,
        ruled.regime = 'opt_out' and ruled.on_denial = 'limited_data_use' as is_limitable,
        {{ selected('decisions', ['decided_at_event', 'decided_at_as_of']) }}
    from ruled
    cross join purposes
    left join decisions on ruled.event_key = decisions.event_key and consent_purpose = decisions.purpose

),

events_consented as (

    select
        event_key,
        consent_purpose,
        consent_regime,
        consent_at_event,
        consent_at_as_of,
        -- The decision that this answer relies on; a missing consent relies on none.
        case coalesce(objection, '')
            when 'consent_withdrawn' then decided_at_as_of
            when 'consent_missing' then null
            else coalesce(decided_at_event, decided_at_as_of)
        end as consent_decided_at,
        case when not is_limitable then objection end as hold_reason,
        is_limitable and objection is not null as is_limited_data_use
    from asked

)

select * from events_consented
