with

touched as (

    select * from {{ slice_of('int_events__touched') }}

),

offers as (

    select * from {{ slice_of('int_people__offered') }}

),

newest as (

    select
        event_key,
        person_id,
        id_name,
        max(started_at) as started_at
    from touched
    group by event_key, person_id, id_name

),

-- Of a person's devices that brought an id in the same moment, one.
values_offered as (

    select
        person_id,
        id_name,
        started_at,
        min(id_value) as id_value
    from offers
    group by person_id, id_name, started_at

),

chosen as (

    select
        newest.event_key,
        newest.id_name,
        values_offered.id_value
    from newest
    inner join values_offered
        on
            newest.person_id = values_offered.person_id
            and newest.id_name = values_offered.id_name
            and newest.started_at = values_offered.started_at

),

events_lent as (

    select
        event_key,
        {{ pivoted(['fbc', 'fbp'] + click_ids() | list, 'id_name', 'id_value') }}
    from chosen
    group by event_key

)

select * from events_lent
