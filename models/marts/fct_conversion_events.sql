with

events as (

    select * from {{ ref('int_events__identified') }}

),

conversion_events as (

    select
        ---------- the event
        event_key,
        event_name,
        event_id,
        event_at,
        action_source,

        ---------- what was bought
        order_id,
        value,
        currency,
        contents,
        content_ids,
        content_type,
        num_items,

        ---------- where
        event_source_url,
        referrer_url,

        ---------- who, hashed
        email_sha256,
        phone_digits_sha256,
        first_name_sha256,
        last_name_sha256,
        city_sha256,
        region_sha256,
        postal_code_sha256,
        country_sha256,
        date_of_birth_sha256,
        gender_sha256,
        external_id_sha256,

        ---------- who, as platforms ask for it in clear
        client_ip,
        user_agent,
        fbp,
        fbc,
        gclid,
        gbraid,
        wbraid,
        ttclid,
        sc_cid,
        epik,
        rdt_cid,
        li_fat_id,
        msclkid,
        twclid,
        country_code,
        region_code
    from events

)

select * from conversion_events
