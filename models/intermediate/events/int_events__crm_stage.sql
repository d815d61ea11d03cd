{#- The names of events that other tables make under ids of their own: all but those of leads, and those of
   conversations, whose ids begin with their table's name. -#}
{%- set own = lead_stages() | list + messaging_events() -%}
{%- set events_of_others = standard_events() | reject('in', own) | list + [renewal_event_name()] -%}
with

leads as (

    select * from {{ slice_of('int_leads__latest') }}

),

-- A stage that is called like an event of other tables must not take the id of one of their records, and one
-- called Purchase needs a value as any does. Nobody is at a stage before being a lead: platforms may discard
-- such an event.
crm_stages as (

    select
        {{ event_record(
            lead_columns('leads'),
            {
                'event_name': 'leads.event_name',
                'natural_key': "case when leads.event_name in ('" ~ events_of_others | join("', '")
                    ~ "') then 'leads-' || leads.lead_id else leads.lead_id end",
                'row_key': "'leads-' || leads.lead_key",
                'action_source': "'system_generated'",
                'is_value_required': "leads.event_name = 'Purchase'",
                'event_source': "'crm'",
                'lead_event_source': 'coalesce(leads.crm_name, ' ~ quoted(var('crm_name')) ~ ')',
                'source_hold_reason': "case when leads.occurred_at < leads.created_at then 'invalid_time' end",
            }
        ) }}
    from leads
    where leads.is_crm and leads.no_event_reason is null

)

select * from crm_stages
