with

events as (

    select * from {{ ref('int_events__traced') }}

),

people as (

    select * from {{ ref('int_people__traced') }}

),

suppressions as (

    select * from {{ ref('int_suppressions__unioned') }}

),

-- Whom an id means: by the events that have it, and by itself where nothing happened yet.
meant as (

    select
        kind,
        suppression_sha256,
        person_id
    from events
    union
    select
        kind,
        suppression_sha256,
        person_id
    from people

),

-- A number or a device that several people share stands for none of them: only its own events are held.
people_of_one as (

    select
        suppressions.is_asked,
        min(meant.person_id) as person_id
    from suppressions
    inner join meant
        on suppressions.kind = meant.kind and suppressions.suppression_sha256 = meant.suppression_sha256
    group by suppressions.kind, suppressions.suppression_sha256, suppressions.is_asked
    having count(distinct meant.person_id) = 1

),

people_suppressed as (

    select
        person_id,
        max(case when is_asked then 1 else 0 end) = 1 as is_asked
    from people_of_one
    group by person_id

)

select * from people_suppressed
