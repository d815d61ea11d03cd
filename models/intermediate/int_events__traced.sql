{#- Ids by which a person can be forgotten: their kind, the id as it was written, its hash. -#}
{%- set subjects = [
    ('customer', 'events.customer_id', 'events.external_id_sha256'),
    ('visitor', 'events.visitor_id', hashed('external_id', 'events.visitor_id')),
    ('visitor', 'events.session_visitor_id', hashed('external_id', 'events.session_visitor_id')),
    ('email', 'events.email', 'events.email_sha256'),
    ('phone', 'events.phone', 'events.phone_digits_sha256'),
] -%}
with

identified as (

    select * from {{ slice_of('int_events__identified') }}

),

keyed as (

    select * from {{ slice_of('int_events__keyed') }}

),

-- As long as nobody asks to be forgotten, nothing is traced.
suppressions as (

    select count(*) as request_count from {{ ref('int_suppressions__unioned') }}

),

events as (

    select
        identified.*,
        keyed.email,
        keyed.phone
    from identified
    left join keyed on identified.event_key = keyed.event_key

),

hashed as (
    {% for kind, subject_value, sha256 in subjects %}
        select
            events.event_key,
            events.person_id,
            '{{ kind }}' as kind,
            {{ subject_value }} as subject_value,
            {{ sha256 }} as subject_sha256
        from events
        inner join suppressions on suppressions.request_count > 0
        where {{ subject_value }} is not null
        {{- '\n    union' if not loop.last }}
    {%- endfor %}

),

events_traced as (

    select
        event_key,
        person_id,
        kind,
        subject_value,
        {{ suppression_key('kind', 'subject_sha256') }} as suppression_sha256
    from hashed
    where subject_sha256 is not null

)

select * from events_traced
