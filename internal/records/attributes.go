package records

import (
	"fmt"
	"strconv"

	"backfill/internal/keyset"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number[N int | int64](n N) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: fmt.Sprint(n)}
}

func truth(b bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: b} }

func key(pk, sk string) item { return item{"PK": text(pk), "SK": text(sk)} }

func textOf(value types.AttributeValue) string {
	if s, ok := value.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func numberOf(value types.AttributeValue) int64 {
	if n, ok := value.(*types.AttributeValueMemberN); ok {
		parsed, _ := strconv.ParseInt(n.Value, 10, 64)
		return parsed
	}
	return 0
}

func truthOf(value types.AttributeValue) bool {
	b, ok := value.(*types.AttributeValueMemberBOOL)
	return ok && b.Value
}

func point(p keyset.Point) types.AttributeValue {
	list := &types.AttributeValueMemberL{}
	for _, column := range p {
		list.Value = append(list.Value, text(column))
	}
	return list
}

// pointOf reads a point; an attribute that is not there is an open end.
func pointOf(value types.AttributeValue) keyset.Point {
	list, ok := value.(*types.AttributeValueMemberL)
	if !ok {
		return nil
	}
	var p keyset.Point
	for _, column := range list.Value {
		p = append(p, textOf(column))
	}
	return p
}
