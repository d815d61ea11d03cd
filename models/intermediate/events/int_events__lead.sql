with

leads as (

    select * from {{ slice_of('int_leads__latest') }}

),

leads_created as (

    select
        {{ event_record({'event_name': "'Lead'"}, lead_columns('leads')) }}
    from leads
    -- lead_stages() has the words of a stage that mean it.
    where leads.event_name = 'Lead' and not leads.is_crm and leads.no_event_reason is null

)

select * from leads_created
