with

leads as (

    select * from {{ ref('stg_raw__leads') }}

),

-- A CRM's stages are events under their own names; elsewhere a word means an event, or none.
named as (

    select
        *,
        coalesce(channel = 'crm', false) as is_crm,
        case
            when channel = 'crm' then {{ standard_event_name('stage') }}
            else {{ lead_event('stage') }}
        end as event_name
    from leads

),

-- The first time that a lead reaches a stage counts, whoever recorded it. Test rows and unknown words are
-- counted apart, so that they hide nothing. The sort goes on so that each run picks the same row.
ranked as (

    select
        *,
        row_number() over (
            partition by lead_id, is_test, event_name is null, lower(coalesce(event_name, stage))
            order by
                occurred_at asc nulls last, is_crm asc, created_at asc, event_name asc, value desc,
                currency asc, customer_id asc, session_id asc, email asc
        ) as version_number
    from named

),

leads_latest as (

    select
        *,
        {{ record_key('lead_id', 'version_number') }} as lead_key,
        case
            when is_test then 'test_record'
            when event_name is null then 'unknown_stage'
        end as no_event_reason
    from ranked
    where lead_id is null or version_number = 1

)

select * from leads_latest
