-- What an analyst would write by hand for the web purchases of the made-up shop (benchmarks/made_up_shop.py): one
-- DuckDB statement, the same hashes, the same columns as fct_conversion_events. It knows this shop's ten countries and
-- nothing of consent, repeated rows, unreadable values or other events. It is what the models are measured against.
create or replace table by_hand as
with items as (
    select
        order_id,
        list_sort(list(struct_pack(
            line_number := line_number, id := product_id, quantity := quantity::bigint,
            item_price := unit_price::decimal(18, 4), title := title, category := category
        ))) as lines,
        sum(quantity)::bigint as num_items
    from raw.order_lines
    group by order_id
),

orders as (
    select
        o.*,
        s.started_at,
        s.fbp,
        s.ga_client_id,
        s.referrer_url,
        lower(trim(o.email)) as mail,
        regexp_replace(o.phone, '[^0-9+]', '', 'g') as digits,
        regexp_extract(o.landing_url, '[?&]fbclid=([^&#]+)', 1) as fbclid,
        i.lines,
        i.num_items
    from raw.orders as o
    left join raw.sessions as s on o.session_id = s.session_id
    left join items as i on o.order_id = i.order_id
    where o.paid_at is not null and not o.is_test and o.channel = 'web'
),

parts as (
    select
        *,
        split_part(mail, '@', 2) as domain,
        split_part(split_part(mail, '@', 1), '+', 1) as box,
        -- Only numbers that the country can have; half of this shop's are a digit too long.
        case country_code
            when 'DE' then '49' || ltrim(digits, '0')
            when 'FR' then case when length(digits) = 10 then '33' || substr(digits, 2) end
            when 'GB' then case when length(digits) = 11 then '44' || substr(digits, 2) end
            when 'US' then case when length(digits) = 10 then '1' || digits end
            when 'BR' then case when length(digits) in (10, 11) then '55' || digits end
            when 'JP' then '81' || case when length(digits) = 11 then substr(digits, 2) else digits end
            when 'IT' then '39' || digits
            when 'ES' then case when length(digits) = 9 then '34' || digits end
            when 'NL' then case when length(digits) = 10 then '31' || substr(digits, 2) end
            when 'PL' then case when length(digits) = 9 then '48' || digits end
        end as full_phone
    from orders
)

select
    'purchase.' || order_id as event_key,
    'Purchase' as event_name,
    'purchase.' || order_id as event_id,
    paid_at as event_at,
    'website' as action_source,
    order_id,
    (case when currency = 'JPY' then round(total, 0) else total end)::decimal(18, 4) as value,
    currency,
    list_transform(lines, lambda line: struct_pack(
        id := line.id, quantity := line.quantity, item_price := line.item_price,
        title := line.title, category := line.category
    )) as contents,
    list_transform(lines, lambda line: line.id) as content_ids,
    case when lines is not null then 'product' end as content_type,
    num_items,
    null::varchar as content_name,
    null::varchar as content_category,
    null::varchar as search_string,
    null::varchar as registration_status,
    null::decimal(18, 4) as predicted_ltv,
    null::decimal(18, 4) as net_revenue,
    null::varchar as customer_segmentation,
    null::varchar as lead_id,
    null::varchar as lead_event_source,
    null::varchar as event_source,
    null::varchar as subscription_id,
    null::varchar[] as app_info,
    null::boolean as advertiser_tracking_enabled,
    null::boolean as application_tracking_enabled,
    null::varchar as madid,
    null::varchar as anon_id,
    null::varchar as vendor_id,
    null::varchar as install_referrer,
    null::varchar as installer_package,
    null::varchar as campaign_ids,
    null::varchar as messaging_channel,
    null::varchar as page_id,
    null::varchar as page_scoped_user_id,
    null::varchar as whatsapp_business_account_id,
    null::varchar as ctwa_clid,
    null::varchar as instagram_business_account_id,
    null::varchar as ig_sid,
    regexp_extract(landing_url, '^[^?#]*') as event_source_url,
    regexp_extract(referrer_url, '^[^?#]*') as referrer_url,
    sha256(mail) as email_sha256,
    sha256(
        case when domain in ('gmail.com', 'googlemail.com') then replace(box, '.', '') || '@' || domain else mail end
    ) as email_gmail_sha256,
    sha256(strip_accents(replace(box, '.', '')) || '@' || domain) as email_microsoft_sha256,
    sha256(regexp_replace(box, '[^\pL\pM\pN]', '', 'g') || '@' || domain) as email_reddit_sha256,
    [sha256(mail)] as email_sha256s,
    sha256(full_phone) as phone_digits_sha256,
    sha256('+' || full_phone) as phone_e164_sha256,
    case when full_phone is not null then [sha256(full_phone)] end as phone_digits_sha256s,
    sha256(regexp_replace(lower(first_name), '[^\pL\pM\pN]', '', 'g')) as first_name_sha256,
    sha256(regexp_replace(lower(last_name), '[^\pL\pM\pN]', '', 'g')) as last_name_sha256,
    sha256(regexp_replace(lower(city), '[^\pL\pM\pN]', '', 'g')) as city_sha256,
    sha256(case
        when country_code = 'US' and region = 'California' then 'ca'
        else regexp_replace(lower(region), '[^\pL\pM\pN]', '', 'g')
    end) as region_sha256,
    sha256(case
        when country_code = 'US' then left(postal_code, 5)
        else lower(replace(replace(postal_code, ' ', ''), '-', ''))
    end) as postal_code_sha256,
    sha256(lower(country_code)) as country_sha256,
    sha256(replace(date_of_birth, '-', '')) as date_of_birth_sha256,
    sha256(case lower(gender) when 'female' then 'f' when 'm' then 'm' end) as gender_sha256,
    sha256(lower(customer_id)) as external_id_sha256,
    client_ip,
    user_agent,
    fbp,
    'fb.1.' || epoch_ms(started_at) || '.' || nullif(fbclid, '') as fbc,
    nullif(regexp_extract(ga_client_id, '^GA1[.]1[.]([0-9]+[.][0-9]+)$', 1), '') as ga_client_id,
    nullif(regexp_extract(landing_url, '[?&]gclid=([^&#]+)', 1), '') as gclid,
    nullif(regexp_extract(landing_url, '[?&]gbraid=([^&#]+)', 1), '') as gbraid,
    nullif(regexp_extract(landing_url, '[?&]wbraid=([^&#]+)', 1), '') as wbraid,
    nullif(regexp_extract(landing_url, '[?&]ttclid=([^&#]+)', 1), '') as ttclid,
    nullif(regexp_extract(landing_url, '[?&]ScCid=([^&#]+)', 1), '') as sc_cid,
    nullif(regexp_extract(landing_url, '[?&]epik=([^&#]+)', 1), '') as epik,
    nullif(regexp_extract(landing_url, '[?&]rdt_cid=([^&#]+)', 1), '') as rdt_cid,
    nullif(regexp_extract(landing_url, '[?&]li_fat_id=([^&#]+)', 1), '') as li_fat_id,
    nullif(regexp_extract(landing_url, '[?&]msclkid=([^&#]+)', 1), '') as msclkid,
    nullif(regexp_extract(landing_url, '[?&]twclid=([^&#]+)', 1), '') as twclid,
    country_code,
    case when country_code = 'US' and region = 'California' then 'CA' end as region_code
from parts
