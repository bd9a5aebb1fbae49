use super::*;

/// Envoy 1.40 was asked about each of these as the format of an access log.
#[test]
fn takes_what_envoy_takes() {
    for format in [
        "",
        "plain",
        "%%",
        "a%%b",
        "%%%%",
        "%PROTOCOL%",
        "%PROTOCOL()%",
        "%START_TIME%%PROTOCOL%",
        "%%%PROTOCOL%",
        "%PROTOCOL%:3",
        "%REQ(a)%",
        "%REQ(a?b)%",
        "%REQ(a):5%x",
        "%REQ(a):03%",
        "%REQ(?)%",
        "%REQ(?a)%",
        "%REQ(a?)%",
        "%REQ(:path)%",
        "%REQ(A-B_c.d)%",
        "%REQ(a|b~!#$&*+^`)%",
        "%STREAM_INFO_REQ(a?b)%",
        "%START_TIME(%Y-%m)% %PROTOCOL%",
        "%START_TIME(%3f)%",
        "%START_TIME(%%)%",
        "%START_TIME(%10n)%",
        "%START_TIME(a)b)%",
        "%DOWNSTREAM_PEER_CERT_V_START(%Y)%",
        "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(24)%",
        "%RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)%",
        "%FILTER_STATE(a:PLAIN):3%",
        "%FILTER_STATE(a:FIELD:b)%",
        "%FILTER_STATE(a:FIELD:b:c)%",
        "%DYNAMIC_METADATA(a:b):5%",
        "%DYNAMIC_METADATA(:)%",
        "%CLUSTER_METADATA(a:b:c)%",
        "%METADATA(ROUTE:a)%",
        "%METADATA(LISTENER_FILTER_CHAIN:a)%",
        "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:ms)%",
        "%COMMON_DURATION(a:b)%",
        "%COMMON_DURATION(::ms)%",
        "%REQUESTED_SERVER_NAME(SNI_FIRST)%",
        "%REQUESTED_SERVER_NAME(HOST_FIRST:ORIG_OR_HOST)%",
        "%REQUESTED_SERVER_NAME(:HOST)%",
        "%PATH%",
        "%PATH(NQ:ORIG)%",
        "%PATH(:ORIG)%",
        "%PATH(NQ:ORIG:X)%",
        "%PATH(WQ:PATH):4%",
        "%QUERY_PARAM(a):5%",
        "%QUERY_PARAMS(DECODED)%",
        "%GRPC_STATUS(NUMBER)%",
        "%CEL(request.path):3%",
        "%ENVIRONMENT(a=b)%",
        r#"%COALESCE({"operators":["PROTOCOL"]})%"#,
        r#"%COALESCE({"operators":[{"command":"REQ","param":"a","max_length":3}]}):4%"#,
    ] {
        assert_eq!(operators(format), Ok(()), "{format}");
    }
}

/// Likewise.
#[test]
fn refuses_what_envoy_refuses_and_says_why() {
    let form = "of the form `%COMMAND(arguments):length%`";
    for (format, reason) in [
        ("100%", form),
        ("%%%", form),
        ("a % b", form),
        ("%req(a)%", form),
        ("%A B%", form),
        ("%REQ(a)b%", form),
        ("%REQ(a%", form),
        ("%REQ(a):-5%", form),
        ("%START_TIME(%Y) %PROTOCOL%", form),
        ("%NOPE%", "`%NOPE%` at byte 1 is no operator of Envoy's"),
        ("ab %RESPONSE_COD%", "`%RESPONSE_COD%` at byte 4 is no"),
        ("%REQ%", "needs a header's name in parentheses"),
        ("%REQ()%", "needs a header's name"),
        ("%REQ(a?b?c)%", "more than one `?`"),
        ("%REQ(a b)%", "names no header: `a b`"),
        ("%REQ(a:b)%", "names no header"),
        ("%REQ(:)%", "names no header"),
        ("%REQ(ä)%", "names no header"),
        ("%REQ(a)x):5%", "names no header"),
        ("%UPSTREAM_CLUSTER(a)%", "takes no argument"),
        ("%TRACE_ID:5%", "takes no length"),
        ("%START_TIME():3%", "takes no length"),
        ("%RESPONSE_CODE_DETAILS:3%", "takes no length"),
        ("%UPSTREAM_METADATA(a):3%", "takes no length"),
        ("%START_TIME(%n)%", "a line end"),
        ("%START_TIME(%En)%", "a line end"),
        ("%START_TIME(a%%nb)%", "a line end"),
        ("%START_TIME(%-1n)%", "a line end"),
        ("%DOWNSTREAM_PEER_CERT_V_START(%n)%", "a line end"),
        ("%GRPC_STATUS(FOO)%", "knows no `FOO`, only `CAMEL_STRING`, `SNAKE_STRING`, `NUMBER`"),
        ("%FILTER_STATE%", "needs the name of a filter state"),
        ("%FILTER_STATE(:PLAIN)%", "names no filter state"),
        ("%FILTER_STATE(a:FOO)%", "knows no `FOO`"),
        ("%FILTER_STATE(a:FIELD)%", "behind `FIELD`"),
        ("%FILTER_STATE(a:PLAIN:b)%", "only behind `FIELD`"),
        ("%METADATA%", "needs a kind of metadata"),
        ("%METADATA(FOO:a)%", "knows no `FOO`"),
        ("%COMMON_DURATION(a)%", "needs two points in time"),
        ("%COMMON_DURATION(a:b:s)%", "knows no `s`, only `ms`"),
        ("%COMMON_DURATION(a:b:ms:x)%", "needs two points in time"),
        ("%PATH(X)%", "knows no `X`, only `WQ`, `NQ`"),
        ("%REQUESTED_SERVER_NAME(HOST_ONLY)%", "knows no `HOST_ONLY`"),
        ("%QUERY_PARAMS(RAW)%", "knows no `RAW`"),
        ("%QUERY_PARAM%", "needs the name of a parameter"),
        ("%CEL()%", "needs an expression"),
        ("%COALESCE(x)%", "is given no JSON"),
        ("%COALESCE({})%", "needs an object of JSON"),
        (r#"%COALESCE({"operators":[]})%"#, "needs an object of JSON"),
        (r#"%COALESCE({"operators":["NOPE"]})%"#, "can't try `NOPE`, which is no operator"),
        (r#"%COALESCE({"operators":[{"command":"REQ"}]})%"#, "can't try `REQ`, which needs"),
        (r#"%COALESCE({"operators":[{"param":"a"}]})%"#, "can't try ``"),
    ] {
        let wrong = operators(format).unwrap_err();
        assert!(wrong.message.contains(reason), "{format}: {wrong:?}");
    }
    assert_eq!(operators("%RESPONSE_COD%").unwrap_err().hint.unwrap(), "did you mean `%RESPONSE_CODE%`?");
    assert!(operators("100%").unwrap_err().hint.unwrap().contains("`%%`"));
}

#[test]
fn every_operator_stands_in_one_table_once_and_in_order() {
    let names: Vec<_> = OPERATORS.iter().map(|(name, ..)| *name).collect();
    assert!(names.is_sorted() && PLAIN.is_sorted());
    assert!(PLAIN.iter().all(|name| !names.contains(name)));
}
