-- Longer than other models: the rounds of joining, and what a device may join, belong in one view.
with

mentions as (

    select * from {{ slice_of('int_identities__mentioned') }}

),

all_links as (

    select * from {{ slice_of('int_identities__linked') }}

),

crowds as (

    select distinct node from all_links
    where is_crowd

),

links as (

    select
        all_links.node,
        all_links.other_node,
        all_links.other_kind
    from all_links
    left join crowds on all_links.other_node = crowds.node
    where not all_links.is_crowd and crowds.node is null

),

-- A lead by itself is no person yet: it becomes one through a customer or an e-mail address.
people_0 as (

    select
        mentions.node,
        mentions.node as person_id
    from mentions
    left join crowds on mentions.node = crowds.node
    left join links on mentions.node = links.node and links.other_kind <> 'visitor'
    where
        mentions.kind <> 'visitor'
        and crowds.node is null
        and (mentions.kind <> 'lead' or links.node is not null)
    group by mentions.node

),
-- In each round a node takes the smallest name among its own, its neighbours', and the one that this name has
-- found: the reach doubles. What is further apart stays apart, which joins too little, never too much.
{%- for round in range(1, (var('identity_rounds') | int) + 1) %}
    neighbours_{{ round }} as (

        select
            links.node,
            min(people.person_id) as person_id
        from links
        inner join people_{{ round - 1 }} as people on links.other_node = people.node
        group by links.node

    ),

    lowered_{{ round }} as (

        select
            people.node,
            least(people.person_id, coalesce(neighbours.person_id, people.person_id)) as person_id
        from people_{{ round - 1 }} as people
        left join neighbours_{{ round }} as neighbours on people.node = neighbours.node

    ),

    people_{{ round }} as (

        select
            lowered.node,
            least(lowered.person_id, coalesce(further.person_id, lowered.person_id)) as person_id
        from lowered_{{ round }} as lowered
        left join lowered_{{ round }} as further on lowered.person_id = further.node

    ),
{%- endfor %}

-- A person of so many names is a crowd that weak links have joined: each name stands for itself again.
crowded as (

    select person_id
    from people_{{ var('identity_rounds') | int }}
    group by person_id
    having count(*) > {{ var('identity_max_names') | int }}

),

named as (

    select
        people.node,
        case when crowded.person_id is null then people.person_id else people.node end as person_id
    from people_{{ var('identity_rounds') | int }} as people
    left join crowded on people.person_id = crowded.person_id

),

-- A device that more than one person has used is nobody's; one that nobody was named on is somebody of its
-- own.
devices as (

    select
        mentions.node,
        case
            when count(distinct people.person_id) = 0 then mentions.node
            when count(distinct people.person_id) = 1 then min(people.person_id)
        end as person_id
    from mentions
    left join links on mentions.node = links.other_node
    left join named as people on links.node = people.node
    where mentions.kind = 'visitor'
    group by mentions.node

),

people_resolved as (

    select * from named
    union all
    select * from devices

)

select * from people_resolved
