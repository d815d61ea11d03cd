with

events as (

    select * from {{ ref('int_events__sessionized') }}

),

country_names as (

    select * from {{ ref('country_names') }}

),

countries as (

    select * from {{ ref('countries') }}

),

regions as (

    select * from {{ ref('regions') }}

),

-- The order's country, else the session's. An order whose country nobody knows has none: the session's would
-- give it the consent rule of another place.
placed as (

    select
        events.*,
        {{ name_key('events.region') }} as region_key,
        coalesce(named.country_code, visited.country_code) as country_code
    from events
    left join country_names as named on {{ country_key('events.country') }} = named.name_key
    left join country_names as visited
        on events.country is null and {{ country_key('events.session_country') }} = visited.name_key

),

events_located as (

    select
        placed.*,
        regions.region_code,
        {{ selected('countries', phone_plan()) }}
    from placed
    left join regions on placed.country_code = regions.country_code and placed.region_key = regions.name_key
    left join countries on placed.country_code = countries.country_code

)

select * from events_located
