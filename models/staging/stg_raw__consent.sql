{{ require_raw_columns('consent') }}

with

texts as (

    select
        {{ raw_texts('consent') }}
    from {{ raw_table('consent') }}

),

consent as (

    select
        ---------- ids
        consent_id,
        {{ consent_subject('subject_type') }} as subject_type,
        subject_id,

        ---------- decision
        lower(purpose) as purpose,
        -- Only a word that is known to be a yes is one.
        case when lower(status) = 'granted' then 'granted' else 'denied' end as status,

        ---------- timestamps
        {{ raw_value('consent', 'recorded_at') }} as recorded_at,

        ---------- audit
        {{ unreadable_columns('consent') }} as unreadable_columns
    from texts

)

select * from consent
