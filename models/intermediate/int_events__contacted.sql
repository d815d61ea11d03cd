{#- Longer than usual because persons without a list are left out first. How many addresses and numbers of one
    person go with an event at most. -#}
{%- set most = 5 -%}
{%- set emails = "case when kind = 'email_sha256' then contact_sha256 end" -%}
{%- set phones = "case when kind = 'phone_digits_sha256' then contact_sha256 end" -%}
with

identified as (

    select * from {{ slice_of('int_events__identified') }}

),

suppressed as (

    select * from {{ ref('int_events__suppressed') }}

),

events as (

    select identified.*
    from identified
    left join suppressed on identified.event_key = suppressed.event_key
    where suppressed.event_key is null

),

-- What somebody wrote where they refused, or were not asked, does not leave with what else they did. For
-- whatever purpose: which destinations the list goes to is not known here.
withheld as (

    select distinct event_key from {{ slice_of('int_events__consented') }}
    where hold_reason is not null or is_limited_data_use

),

told as (

    select
        events.*,
        case when withheld.event_key is null then 1 else 0 end as is_allowed
    from events
    left join withheld on events.event_key = withheld.event_key

),

contacts as (
    {% for column in ['email_sha256', 'phone_digits_sha256'] %}
        select
            person_id,
            '{{ column }}' as kind,
            {{ column }} as contact_sha256,
            max(event_at) as used_at,
            max(is_allowed) = 1 as is_allowed
        from told
        where person_id is not null and {{ column }} is not null
        group by person_id, {{ column }}
        {{- '\n    union all' if not loop.last }}
    {% endfor %}
),

-- Most people have one of each, and need no list. As many as a crowd has are not one person's.
several as (

    select
        person_id,
        kind
    from contacts
    group by person_id, kind
    having count(*) between 2 and {{ var('identity_max_links') | int }}

),

ranked as (

    select
        events.event_key,
        contacts.kind,
        contacts.contact_sha256,
        row_number() over (
            partition by events.event_key, contacts.kind
            order by
                contacts.contact_sha256 in (events.email_sha256, events.phone_digits_sha256) desc nulls last,
                contacts.used_at desc nulls last,
                contacts.contact_sha256 asc
        ) as choice
    from events
    inner join several on events.person_id = several.person_id
    inner join contacts on several.person_id = contacts.person_id and several.kind = contacts.kind
    where
        contacts.is_allowed
        or contacts.contact_sha256 in (events.email_sha256, events.phone_digits_sha256)

),

events_contacted as (

    select
        event_key,
        {{ listed(emails, 'choice') }} as email_sha256s,
        {{ listed(phones, 'choice') }} as phone_digits_sha256s
    from ranked
    where choice <= {{ most }}
    group by event_key

)

select * from events_contacted
