with

events as (

    select * from {{ slice_of('int_events__keyed') }}

),

sessions as (

    select * from {{ slice_of('int_sessions__latest') }}

),

records as (

    select
        'event' as record_type,
        events.event_key as record_id,
        events.customer_id,
        {{ hashed('email', 'events.email') }} as email,
        case when events.source_table = 'leads' then events.source_id end as lead_id,
        coalesce(events.visitor_id, sessions.visitor_id) as visitor_id
    from events
    left join sessions on events.session_id = sessions.session_id
    union all
    select
        'session' as record_type,
        session_id as record_id,
        customer_id,
        null as email,
        null as lead_id,
        visitor_id
    from sessions

),

identities_mentioned as (
    {% for kind, column in [
        ('customer', 'customer_id'), ('email', 'email'), ('lead', 'lead_id'), ('visitor', 'visitor_id'),
    ] %}
        select
            record_type,
            record_id,
            '{{ kind }}' as kind,
            '{{ kind }}:' || {{ column }} as node
        from records
        where {{ column }} is not null
        {{- '\n    union all' if not loop.last }}
    {%- endfor %}

)

select * from identities_mentioned
