{{ require_raw_columns('sessions') }}

with

texts as (

    select
        {{ raw_texts('sessions') }}
    from {{ raw_table('sessions') }}

),

sessions as (

    select
        ---------- ids
        session_id,
        visitor_id,
        customer_id,

        ---------- timestamps
        {{ raw_value('sessions', 'started_at') }} as started_at,

        ---------- browser
        landing_url,
        referrer_url,
        fbp,
        fbc,
        ga_client_id,
        client_ip,
        user_agent,
        country_code as country,
        -- Only a word that is known to be a no is none: whoever sets a signal is not to be misread.
        global_privacy_control is not null
        and coalesce({{ raw_value('sessions', 'global_privacy_control') }}, true) as global_privacy_control,

        ---------- audit
        {{ unreadable_columns('sessions') }} as unreadable_columns
    from texts

)

select * from sessions
