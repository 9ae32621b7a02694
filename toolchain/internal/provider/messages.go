package provider

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
)

var marshalling = plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, SkipNulls: true}

func check(request *pulumirpc.CheckRequest, rule func(resource.PropertyMap) map[resource.PropertyKey]string) (*pulumirpc.CheckResponse, error) {
	inputs, err := unmarshal(request.GetNews())
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.CheckResponse{Inputs: request.GetNews()}
	for property, reason := range rule(inputs) {
		response.Failures = append(response.Failures, &pulumirpc.CheckFailure{Property: string(property), Reason: reason})
	}
	return response, nil
}

func told(change Change) *pulumirpc.DiffResponse {
	response := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}
	if len(change.Keys) > 0 {
		response.Changes = pulumirpc.DiffResponse_DIFF_SOME
	}
	for _, key := range change.Keys {
		response.Diffs = append(response.Diffs, string(key))
	}
	for _, key := range change.Replace {
		response.Replaces = append(response.Replaces, string(key))
	}
	return response
}

// initFailed tells the engine to keep a resource whose creation failed after it was made; the next run updates it.
func initFailed(id string, properties, inputs *structpb.Struct, failure error) error {
	kept, err := status.New(codes.Unknown, failure.Error()).WithDetails(&pulumirpc.ErrorResourceInitFailed{
		Id: id, Properties: properties, Inputs: inputs, Reasons: []string{failure.Error()},
	})
	if err != nil {
		return failure
	}
	return kept.Err()
}

func unmarshal(properties *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(properties, marshalling)
}

func unmarshalBoth(first, second *structpb.Struct) (resource.PropertyMap, resource.PropertyMap, error) {
	one, err := unmarshal(first)
	if err != nil {
		return nil, nil, err
	}
	other, err := unmarshal(second)
	return one, other, err
}
