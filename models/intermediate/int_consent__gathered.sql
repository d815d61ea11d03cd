-- Longer than usual because a decision is told to each subject that it counts for.
with

consent as (

    select * from {{ ref('stg_raw__consent') }}

),

sessions as (

    select * from {{ ref('stg_raw__sessions') }}

),

purposes as (

    select distinct consent_purpose from {{ ref('destinations') }}
    where is_enabled is not null

),

-- Some laws take the browser's signal for a denial and some do not: what each kind knows is kept apart.
laws as (

    select true as heeds_signals
    union all
    select false as heeds_signals

),

-- The signal is about every purpose, and speaks for the session, for its browser and for the customer who is
-- known to use it. Each also as one who may object to what the person does elsewhere: int_events__decided.
-- What else speaks of an event is no subject that a shop asks.
told as (
    {% for subject, asked in {
        'customer': 'customer', 'other_account': 'customer', 'visitor': 'visitor', 'lender': 'visitor',
    }.items() %}
        select
            '{{ subject }}' as subject_type,
            subject_id,
            purpose,
            status,
            recorded_at as happened_at,
            false as is_signal
        from consent
        where subject_type = '{{ asked }}'
        {{- '\n        union all' if not loop.last }}
    {% endfor %}
    {% for subject, column in {
        'customer': 'customer_id', 'other_account': 'customer_id', 'visitor': 'visitor_id', 'lender': 'visitor_id',
        'session': 'session_id',
    }.items() %}
        union all
        select
            '{{ subject }}' as subject_type,
            sessions.{{ column }} as subject_id,
            purposes.consent_purpose as purpose,
            'denied' as status,
            sessions.started_at as happened_at,
            true as is_signal
        from sessions
        cross join purposes
        where sessions.global_privacy_control
    {% endfor %}
),

-- A decision after as_of is not known yet. One whose time cannot be read counts in the way that sends less: a
-- grant not at all, a denial as the latest word.
consent_gathered as (

    select
        {{ selected('told', ['subject_type', 'subject_id', 'purpose', 'status']) }},
        coalesce(told.happened_at, {{ as_of() }}) as decided_at,
        laws.heeds_signals
    from told
    inner join laws on laws.heeds_signals or not told.is_signal
    where
        told.subject_id is not null
        and (told.happened_at <= {{ as_of() }} or (told.happened_at is null and told.status = 'denied'))

)

select * from consent_gathered
