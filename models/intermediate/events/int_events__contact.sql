with

leads as (

    select * from {{ slice_of('int_leads__latest') }}

),

contacts as (

    select
        {{ event_record({'event_name': "'Contact'"}, lead_columns('leads')) }}
    from leads
    -- lead_stages() has the words of a stage that mean it.
    where leads.event_name = 'Contact' and not leads.is_crm and leads.no_event_reason is null

)

select * from contacts
