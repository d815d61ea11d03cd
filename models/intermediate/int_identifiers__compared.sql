with

normalized as (

    select * from {{ ref('int_identifiers__normalized') }}

),

judged as (

    select
        *,
        raw_value is not null as is_filled,
        sent_value is not null as is_valid,
        source_sha256 is not null and sent_value is not null as is_hash,
        coalesce(source_sha256 is null and sent_value <> raw_value, false) as is_changed,
        case
            when field = 'phone' and sent_value <> raw_value then {{ dialled_phone('raw_value') }}
        end as plain_phone
    from normalized

),

lowered as (

    select
        *,
        case when is_changed then {{ lowered_identifier() }} end as lowered
    from judged

),

changed as (

    select
        {%- for rule, condition in identifier_changes().items() %}
            coalesce(case when is_changed then {{ condition }} end, false) as changed_by_{{ rule }},
        {%- endfor %}
        *
    from lowered

),

-- An MD5 is sent as it is by the other side, and hashed by us; the shop's own id of a person it never hashes.
identifiers_compared as (

    select
        *,
        is_changed and not (
            {%- for rule in identifier_changes() %}
                changed_by_{{ rule }}{{ ' or' if not loop.last }}
            {%- endfor %}
        ) as changed_by_other,
        case
            when raw_value is null then null
            when field = 'external_id' and (not is_hash or sdk_value <> sent_value) then 'sdk_sends_clear'
            when sent_value is null and sdk_value is null then 'neither_sends'
            when sent_value is null then 'only_sdk_sends'
            when sdk_value is null then 'sdk_refuses'
            when sdk_value <> sent_value then 'differs_from_sdk'
            when not is_hash and {{ regexp_matches('sdk_value', '^[0-9a-f]{32}$') }} then 'differs_from_sdk'
            else 'same_as_sdk'
        end as sdk_verdict
    from changed

)

select * from identifiers_compared
