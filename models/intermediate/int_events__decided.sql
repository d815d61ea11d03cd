with

events as (

    select * from {{ ref('int_events__identified') }}

),

intervals as (

    select * from {{ ref('int_consent__intervals') }}

),

-- A decision counts whether it was made as a customer or as a visitor.
subjects as (
    {% for subject in ['customer', 'visitor'] %}
        select
            event_key,
            event_at,
            '{{ subject }}' as subject_type,
            {{ subject }}_id as subject_id
        from events
        where {{ subject }}_id is not null
        {{- '\n    union all' if not loop.last }}
    {% endfor %}
),

in_force as (

    select
        subjects.event_key,
        intervals.purpose,
        intervals.status,
        intervals.valid_from,
        coalesce(
            intervals.valid_from <= subjects.event_at
            and (intervals.valid_to is null or intervals.valid_to > subjects.event_at),
            false
        ) as is_at_event,
        intervals.valid_to is null as is_at_as_of
    from subjects
    inner join intervals
        on subjects.subject_type = intervals.subject_type and subjects.subject_id = intervals.subject_id

),

-- The latest of both subjects' decisions wins; on a tie 'denied', which sorts before 'granted'.
ranked as (

    select
        *,
        row_number() over (
            partition by event_key, purpose order by is_at_event desc, valid_from desc, status asc
        ) as rank_at_event,
        row_number() over (
            partition by event_key, purpose order by is_at_as_of desc, valid_from desc, status asc
        ) as rank_at_as_of
    from in_force
    where is_at_event or is_at_as_of

),

events_decided as (

    select
        event_key,
        purpose,
        max(case when rank_at_event = 1 and is_at_event then status end) as status_at_event,
        max(case when rank_at_event = 1 and is_at_event then valid_from end) as decided_at_event,
        max(case when rank_at_as_of = 1 and is_at_as_of then status end) as status_at_as_of,
        max(case when rank_at_as_of = 1 and is_at_as_of then valid_from end) as decided_at_as_of
    from ranked
    group by event_key, purpose

)

select * from events_decided
