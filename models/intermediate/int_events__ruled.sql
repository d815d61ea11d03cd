with

events as (

    select * from {{ slice_of('int_events__identified') }}

),

policy as (

    select * from {{ ref('consent_policy') }}

),

-- The region's rule beats the country's. Each US state has its own law, so a rule for all of them says
-- nothing where the state is not known. Where no rule speaks, the person must have agreed; and where the
-- place is not known, or a US state that may ask for it, the browser's signal is a denial.
events_ruled as (

    select
        events.event_key,
        coalesce(regional.regime, national.regime, 'opt_in') as regime,
        coalesce(regional.on_denial, national.on_denial, 'hold') as on_denial,
        coalesce(
            regional.gpc_is_denial,
            national.gpc_is_denial,
            events.country_code is null or events.country_code = 'US'
        ) as gpc_is_denial,
        coalesce(regional.regrant_revives, national.regrant_revives, false) as regrant_revives
    from events
    left join policy as regional
        on events.country_code = regional.country_code and events.region_code = regional.region_code
    left join policy as national
        on
            events.country_code = national.country_code
            and national.region_code is null
            and (events.country_code <> 'US' or events.region_code is not null)

)

select * from events_ruled
