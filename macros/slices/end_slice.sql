{# After all models: what the next run goes on from, where this one built all of them without an error. Then there is no
   slice any more, and whoever asks a view sees everything. #}
{% macro end_slice(results) -%}
    {%- if execute and can_slice() and flags.WHICH in ('build', 'run', 'retry', 'seed') -%}
        {%- set failed = [] -%}
        {%- for result in results if result.node.resource_type in ('model', 'seed') -%}
            {%- if result.status != 'success' -%} {%- do failed.append(result.node.name) -%} {%- endif -%}
        {%- endfor -%}
        {%- if flags.WHICH != 'seed' and not failed and one_value('select count(*) from ' ~ our_table('build_state')) > 0 -%}
            {%- do run_query(remember_build()) -%}
        {%- endif -%}
        {%- do remember_seeds(results) -%}
        {%- do run_query('delete from ' ~ our_table('build_slice')) -%}
        {#- dbt takes back what a hook does whose own text is empty. -#}
        {%- do adapter.commit() -%}
    {%- endif -%}
{%- endmacro %}

{# What this run saw, and the links and moments that only its events tell. #}
{% macro remember_build() -%}
    {%- set wakes, records = our_table('build_wakes'), our_table('build_records') -%}
    insert into {{ our_table('build_links') }}
    select record, linked from ({{ links_of_events() }}) as links
    {%- if is_slice() %} where record in (select record from {{ our_table('build_changed') }}) {%- endif %};
    delete from {{ wakes }} where {{ in_slice('record', is_hash=true) }};
    insert into {{ wakes }}
    select record, wakes_at from ({{ later_moments() }}) as moments where {{ in_slice('record', is_hash=true) }};
    drop table {{ records }};
    alter table {{ our_table('build_seen') }} rename to build_records;
    update {{ our_table('build_state') }} set has_ended = true, fingerprint = {{ quoted(build_fingerprint()) }};
{%- endmacro %}

{# The address and the id of each event of the slice. #}
{% macro links_of_events() -%}
    {%- set events = our_slice('int_events__keyed') %}
    select {{ hash_of(['source_table', 'source_id']) }} as record, {{ hash_of(["'ids'", 'event_id']) }} as linked
    from {{ events }} as events where event_id is not null
    union
    select {{ hash_of(['events.source_table', 'events.source_id']) }} as record,
        {{ hash_of(["'nodes'", 'mentions.node']) }} as linked
    from {{ events }} as events
    inner join {{ our_slice('int_identities__mentioned') }} as mentions
        on mentions.record_type = 'event' and events.event_key = mentions.record_id
    where mentions.kind = 'email'
{%- endmacro %}

{# Records that say something of a moment to come: a decision or a visit that is not known yet, a date of birth. A denial
   without a time counts as of each run. #}
{% macro later_moments() -%}
    {%- set always = "cast('1900-01-01' as timestamp)" %}
    select {{ hash_of(["'consent'", 'consent_id']) }} as record, coalesce(recorded_at, {{ always }}) as wakes_at
    from {{ our_table('stg_raw__consent') }}
    where recorded_at > {{ as_of() }} or (recorded_at is null and status = 'denied')
    union all
    select {{ hash_of(["'sessions'", 'session_id']) }} as record, coalesce(started_at, {{ always }}) as wakes_at
    from {{ our_table('stg_raw__sessions') }}
    where global_privacy_control and (started_at > {{ as_of() }} or started_at is null)
    union all
    select {{ hash_of(["'sent_log'", 'event_name', 'event_id']) }} as record,
        case when first_intent_at > {{ as_of() }} then first_intent_at else updated_at end as wakes_at
    from {{ sent_log_table() }}
    where first_intent_at > {{ as_of() }} or updated_at > {{ as_of() }}
    union all
    select {{ hash_of(['events.source_table', 'events.source_id']) }} as record,
        {{ add_days('cast(cast(' ~ as_of() ~ ' as date) as timestamp)', 1) }} as wakes_at
    from {{ our_slice('int_events__keyed') }} as events
    inner join {{ our_slice('int_events__identified') }} as identified on events.event_key = identified.event_key
    where identified.date_of_birth_sha256 is null and events.date_of_birth like '%20%'
{%- endmacro %}
