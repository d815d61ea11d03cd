with

sessions as (

    select * from {{ slice_of('int_sessions__clicked') }}

),

people as (

    select * from {{ slice_of('int_people__recognized') }}

),

people_offered as (
    {% for id in ['fbc', 'fbp'] + click_ids() | list %}
        select
            people.person_id,
            sessions.visitor_id,
            '{{ id }}' as id_name,
            sessions.started_at,
            min(sessions.{{ id }}) as id_value
        from sessions
        inner join people on sessions.session_id = people.record_id and people.record_type = 'session'
        where sessions.{{ id }} is not null and sessions.started_at is not null
        group by people.person_id, sessions.visitor_id, sessions.started_at
        {{- '\n    union all' if not loop.last }}
    {%- endfor %}

)

select * from people_offered
