with

leads as (

    select * from {{ slice_of('int_leads__latest') }}

),

appointments as (

    select
        {{ event_record({'event_name': "'Schedule'"}, lead_columns('leads')) }}
    from leads
    -- lead_stages() has the words of a stage that mean it.
    where leads.event_name = 'Schedule' and not leads.is_crm and leads.no_event_reason is null

)

select * from appointments
