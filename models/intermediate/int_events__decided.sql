-- Longer than usual because one line through time gives all that is asked of it.
{% set subject = 'subject_type, subject_id, purpose, heeds_signals' %}
{% set objects = "subject_type in ('other_account', 'lender')" %}
{% set in_line = 'partition by ' ~ subject ~ ' order by happened_at asc, is_event asc' %}
with

subjects as (

    select * from {{ ref('int_events__subjects') }}

),

laws as (

    select * from {{ ref('int_events__ruled') }}

),

decisions as (

    select * from {{ ref('int_consent__gathered') }}

),

deciders as (

    select distinct {{ subject }} from decisions

),

-- Decisions and events of a subject in one line, which is sorted once: a join of each event with each
-- decision would grow with the square of what a busy browser does. An event without a time comes before all.
moments as (

    select
        {{ subject }},
        status,
        decided_at as happened_at,
        0 as is_event,
        '' as event_key
    from decisions
    union all
    select
        {{ selected('deciders', subject.split(', ')) }},
        '' as status,
        coalesce(subjects.event_at, cast('1900-01-01' as timestamp)) as happened_at,
        1 as is_event,
        subjects.event_key
    from subjects
    inner join laws on subjects.event_key = laws.event_key
    inner join deciders
        on
            subjects.subject_type = deciders.subject_type
            and subjects.subject_id = deciders.subject_id
            and laws.gpc_is_denial = deciders.heeds_signals

),

-- A decision in the moment of the event is made before it.
seen as (

    select
        event_key,
        is_event,
        purpose,
        {{ objects }} as objects,
        {% for status in ['granted', 'denied'] -%}
            {% set decided_at = "case when status = '" ~ status ~ "' then happened_at end" -%}
            max({{ decided_at }}) over ({{ in_line }} rows between unbounded preceding and current row)
                as {{ status }}_before,
            max({{ decided_at }}) over (partition by {{ subject }}) as {{ status }}_last,
        {% endfor -%}
        min(case when status = 'denied' then happened_at end)
            over ({{ in_line }} rows between current row and unbounded following) as denied_after
    from moments

),

-- The subjects of an event speak for the same person. Who only objects is heard where their own latest word
-- is a denial: what one browser was granted is no leave for another, and what it took back is no objection.
together as (

    select
        event_key,
        purpose,
        {% for then in ['before', 'last'] -%}
            max(case when not objects then granted_{{ then }} end) as granted_{{ then }},
            max(case
                when not objects or denied_{{ then }} >= coalesce(granted_{{ then }}, denied_{{ then }})
                    then denied_{{ then }}
            end) as denied_{{ then }},
        {% endfor -%}
        min(denied_after) as withdrawn_at
    from seen
    where is_event = 1
    group by event_key, purpose

),

-- The latest word counts; of words in the same moment, the denial.
events_decided as (

    select
        event_key,
        purpose,
        {% for then, decided in {'before': 'at_event', 'last': 'at_as_of'}.items() -%}
            {% set is_denied = 'denied_%s >= coalesce(granted_%s, denied_%s)' % (then, then, then) -%}
            case
                when {{ is_denied }} then 'denied'
                when granted_{{ then }} is not null then 'granted'
            end as status_{{ decided }},
            case
                when {{ is_denied }} then denied_{{ then }}
                else granted_{{ then }}
            end as decided_{{ decided }},
        {% endfor -%}
        withdrawn_at
    from together

)

select * from events_decided
