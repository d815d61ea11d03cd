{# Which raw columns each column of fct_conversion_events is made of, for the register of what is shared with whom. A bare
   name stands for that column in every raw table of event_tables() that has it. #}
{% macro field_sources() %}
    {% set email = ['email'] %}
    {% set phone = ['phone', 'country_code'] %}
    {% set pages = ['landing_url', 'page_url'] %}
    {% set product = ['product_id', 'content_ids'] %}
    {% set customers, orders = [], [] %}
    {% for table in event_tables() | reject('in', ['order_lines', 'sessions']) %}
        {% do customers.append(table ~ '.customer_id') %}
    {% endfor %}
    {% for table in ['orders', 'subscriptions', 'app_events', 'messages'] %}
        {% do orders.append(table ~ '.order_id') %}
    {% endfor %}
    {% set sources = {
        'event_name': ['event_name', 'leads.stage', 'subscriptions.change'],
        'event_id': [
            'browser_event_id', 'event_id', 'orders.order_id', 'lead_id', 'subscription_id', 'period', 'web_event_id',
            'app_event_id', 'app_events.order_id', 'message_id', 'messages.order_id', 'subscriptions.order_id',
            'event_name', 'leads.stage', 'subscriptions.change',
        ],
        'event_at': ['paid_at', 'occurred_at', 'changed_at'],
        'action_source': ['channel'],
        'order_id': orders,
        'value': ['total', 'subtotal', 'tax', 'shipping', 'value', 'amount', 'refunds.amount'],
        'currency': ['currency'],
        'contents': ['product_id', 'quantity', 'unit_price', 'title', 'category'], 'content_ids': product,
        'content_type': product + ['content_type'],
        'num_items': ['quantity', 'num_items'],
        'content_name': ['content_name', 'plan_name'], 'content_category': ['content_category'],
        'search_string': ['search_string'], 'registration_status': ['registration_status'],
        'predicted_ltv': ['predicted_ltv'], 'net_revenue': ['net_revenue'],
        'customer_segmentation': ['is_new_customer', 'orders.customer_id', 'paid_at'],
        'lead_id': ['platform_lead_id'], 'lead_event_source': ['crm_name'], 'event_source': ['leads.channel'],
        'subscription_id': ['subscription_id'],
        'app_info': [
            'platform', 'package_name', 'app_version_short', 'app_version_long', 'os_version', 'device_model', 'locale',
            'timezone_abbreviation', 'carrier', 'screen_width', 'screen_height', 'screen_density', 'cpu_cores',
            'storage_gb', 'free_storage_gb', 'device_timezone',
        ],
        'event_source_url': pages, 'referrer_url': ['referrer_url'],
        'email_sha256': email, 'email_gmail_sha256': email, 'email_microsoft_sha256': email,
        'email_reddit_sha256': email, 'email_sha256s': email,
        'phone_digits_sha256': phone, 'phone_e164_sha256': phone, 'phone_digits_sha256s': phone,
        'city_sha256': ['city'], 'region_sha256': ['region'], 'postal_code_sha256': ['postal_code', 'country_code'],
        'country_sha256': ['country_code'], 'external_id_sha256': customers,
        'first_name_sha256': ['first_name'], 'last_name_sha256': ['last_name'],
        'date_of_birth_sha256': ['date_of_birth'], 'gender_sha256': ['gender'],
        'fbp': ['fbp'], 'fbc': ['fbc', 'started_at'] + pages,
        'ga_client_id': ['ga_client_id'],
        'country_code': ['country_code'], 'region_code': ['region', 'country_code'],
    } %}
    {% for column in click_ids() %}{% do sources.update({column: pages}) %}{% endfor %}
    {% for column in [
        'client_ip', 'user_agent', 'advertiser_tracking_enabled', 'application_tracking_enabled', 'madid', 'anon_id',
        'vendor_id', 'install_referrer', 'installer_package', 'campaign_ids', 'messaging_channel', 'page_id',
        'page_scoped_user_id', 'whatsapp_business_account_id', 'ctwa_clid', 'instagram_business_account_id', 'ig_sid',
    ] %}{% do sources.update({column: [column]}) %}{% endfor %}
    {{ return(sources) }}
{% endmacro %}

{# The raw tables whose rows become events, or lend them what they have. #}
{% macro event_tables() %}
    {{ return([
        'orders', 'order_lines', 'sessions', 'leads', 'subscriptions', 'web_events', 'app_events', 'messages',
    ]) }}
{% endmacro %}

{# The raw columns of one field as pairs of table and column. #}
{% macro raw_columns_of(field) %}
    {% set found = [] %}
    {% for source in field_sources()[field] %}
        {% if '.' in source %}
            {% do found.append(source.split('.')) %}
        {% else %}
            {% for table in event_tables() %}
                {% set contract = raw_contract()[table] %}
                {% if source in contract['required'] or source in contract['optional'] %}
                    {% do found.append([table, source]) %}
                {% endif %}
            {% endfor %}
        {% endif %}
    {% endfor %}
    {{ return(found) }}
{% endmacro %}
