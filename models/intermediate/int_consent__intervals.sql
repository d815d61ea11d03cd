with

consent as (

    select * from {{ ref('stg_raw__consent') }}

),

-- A decision after as_of is not known yet. One whose time cannot be read counts in the way that sends less: a
-- grant not at all, a denial as the latest word.
decisions as (

    select
        subject_type,
        subject_id,
        purpose,
        status,
        coalesce(recorded_at, {{ as_of() }}) as decided_at
    from consent
    where
        subject_id is not null
        and (
            recorded_at <= {{ as_of() }}
            or (recorded_at is null and status = 'denied')
        )

),

-- Of decisions in the same moment, a denial counts: 'denied' sorts before 'granted'.
moments as (

    select
        subject_type,
        subject_id,
        purpose,
        decided_at,
        min(status) as status
    from decisions
    group by subject_type, subject_id, purpose, decided_at

),

consent_intervals as (

    select
        subject_type,
        subject_id,
        purpose,
        status,
        decided_at as valid_from,
        lead(decided_at) over (partition by subject_type, subject_id, purpose order by decided_at) as valid_to
    from moments

)

select * from consent_intervals
