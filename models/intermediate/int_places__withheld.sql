with

events as (

    select * from {{ slice_of('int_events__identified') }}

),

destinations as (

    select * from {{ ref('destinations') }}

),

policies as (

    select * from {{ ref('field_policy') }}

),

field_groups as (

    select * from {{ ref('field_groups') }}

),

places as (

    select distinct
        country_code,
        region_code
    from events

),

-- A policy without a country, region or destination is meant for all of them. Where a country is known and
-- the region is not, it may be any: what a policy withholds in one of them stays.
withheld as (

    select
        places.country_code,
        places.region_code,
        destinations.destination,
        field_groups.column_name
    from places
    cross join destinations
    inner join policies
        on
            coalesce(policies.country_code, places.country_code, '') = coalesce(places.country_code, '')
            and (
                coalesce(policies.region_code, places.region_code, '') = coalesce(places.region_code, '')
                or (places.region_code is null and places.country_code = policies.country_code)
            )
            and coalesce(policies.destination, destinations.destination) = destinations.destination
    inner join field_groups on policies.field = field_groups.field

),

places_withheld as (

    select
        country_code,
        region_code,
        destination,
        ' ' || {{ joined_texts('column_name') }} || ' ' as withheld_fields
    from withheld
    group by country_code, region_code, destination

)

select * from places_withheld
