with

mentions as (

    select * from {{ slice_of('int_identities__mentioned') }}

),

people as (

    select * from {{ slice_of('int_people__resolved') }}

),

-- What names the person best comes first; a device says least.
ranked as (

    select
        mentions.record_type,
        mentions.record_id,
        people.person_id,
        row_number() over (
            partition by mentions.record_type, mentions.record_id
            order by
                case mentions.kind when 'customer' then 1 when 'email' then 2 when 'lead' then 3 else 4 end,
                people.person_id
        ) as choice
    from mentions
    inner join people on mentions.node = people.node
    where people.person_id is not null

),

people_recognized as (

    select
        record_type,
        record_id,
        person_id
    from ranked
    where choice = 1

)

select * from people_recognized
