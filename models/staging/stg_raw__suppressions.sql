{{ require_raw_columns('suppressions') }}

with

texts as (

    select
        {{ raw_texts('suppressions') }}
    from {{ raw_table('suppressions') }}

),

suppressions as (

    select
        ---------- who is to be forgotten
        case
            when lower(subject_type) in ('customer', 'customer_id') then 'customer'
            when lower(subject_type) in ('visitor', 'visitor_id') then 'visitor'
            when lower(subject_type) in ('email', 'e-mail') then 'email'
            when lower(subject_type) in ('phone', 'telephone') then 'phone'
        end as subject_type,
        subject_value,
        country_code,

        ---------- when
        {{ raw_value('suppressions', 'requested_at') }} as requested_at,

        ---------- audit
        {{ unreadable_columns('suppressions') }} as unreadable_columns
    from texts

)

select * from suppressions
