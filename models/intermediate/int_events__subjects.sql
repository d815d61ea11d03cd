with

events as (

    select * from {{ slice_of('int_events__identified') }}

),

lenders as (

    select * from {{ slice_of('int_events__touched') }}

),

people as (

    select * from {{ slice_of('int_people__resolved') }}

),

-- The other accounts of the event's person: their addresses and click ids may go with the event.
other_accounts as (

    select
        events.event_key,
        events.event_at,
        substr(people.node, length('customer:') + 1) as subject_id
    from events
    inner join people on events.person_id = people.person_id
    where people.node like 'customer:%' and people.node <> coalesce('customer:' || events.customer_id, '')

),

-- A decision counts whether it was made as a customer or as a visitor: the event's and its session's. Of the
-- visitors whose click or browser ids may go with the event, and of other accounts, a denial counts.
events_subjects as (
    {% for column, subject in {
        'customer_id': 'customer', 'visitor_id': 'visitor', 'session_visitor_id': 'visitor', 'session_id': 'session',
    }.items() %}
        select
            event_key,
            event_at,
            '{{ subject }}' as subject_type,
            {{ column }} as subject_id
        from events
        where {{ column }} is not null
        union
    {% endfor %}
    select
        event_key,
        event_at,
        'other_account' as subject_type,
        subject_id
    from other_accounts
    union
    select
        events.event_key,
        events.event_at,
        'lender' as subject_type,
        lenders.visitor_id as subject_id
    from events
    inner join lenders on events.event_key = lenders.event_key
    where lenders.visitor_id is not null

)

select * from events_subjects
