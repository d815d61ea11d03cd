with

mentions as (

    select * from {{ slice_of('int_identities__mentioned') }}

),

-- Two identities on one record belong together. Every pair begins with one that names a person; a visitor is
-- a device, and can be on the other side only.
pairs as (

    select distinct
        mentions.node,
        others.node as other_node,
        others.kind as other_kind
    from mentions
    inner join mentions as others
        on mentions.record_type = others.record_type and mentions.record_id = others.record_id
    where mentions.kind <> 'visitor' and mentions.node <> others.node

),

-- An address or a customer that goes with a crowd (a guest account, noreply@) is nobody's: it joins no one.
crowds as (

    select node
    from pairs
    group by node
    having
        sum(case when other_kind = 'visitor' then 0 else 1 end) > {{ var('identity_max_links') | int }}
        or sum(case when other_kind = 'visitor' then 1 else 0 end) > {{ var('identity_max_visitors') | int }}

),

identities_linked as (

    select
        pairs.*,
        crowds.node is not null as is_crowd
    from pairs
    left join crowds on pairs.node = crowds.node

)

select * from identities_linked
