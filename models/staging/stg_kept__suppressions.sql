with

suppressions as (

    select
        kind,
        suppression_sha256,
        requested_at
    from {{ source('kept', 'suppressions') }}

)

select * from suppressions
