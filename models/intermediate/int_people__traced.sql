with

people as (

    select * from {{ slice_of('int_people__resolved') }}

),

-- As long as nobody asks to be forgotten, nothing is traced.
suppressions as (

    select count(*) as request_count from {{ ref('int_suppressions__unioned') }}

),

identities as (

    select
        people.person_id,
        split_part(people.node, ':', 1) as kind,
        substr(people.node, position(':' in people.node) + 1) as subject_id
    from people
    inner join suppressions on suppressions.request_count > 0
    where people.person_id is not null

),

people_traced as (

    select
        kind,
        person_id,
        -- An e-mail address is a hash already.
        {{ suppression_key('kind', "case kind when 'email' then subject_id else "
            ~ hashed('external_id', 'subject_id') ~ " end") }} as suppression_sha256
    from identities
    where kind in ('customer', 'visitor', 'email')

)

select * from people_traced
