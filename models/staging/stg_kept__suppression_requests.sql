with

suppression_requests as (

    select
        subject_type,
        {{ as_text('subject_value') }} as subject_value,
        {{ as_text('country_code') }} as country_code
    from {{ source('kept', 'suppression_requests') }}

)

select * from suppression_requests
