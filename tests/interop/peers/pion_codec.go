// Pion, WebRTC in Go, plays a session in the one codec that it offers; prints what its own depacketiser makes of it.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v3"
)

// A picture as parts that a decoder takes: one frame of VP9, or the OBUs of AV1 without their sizes.
type picture struct {
	Parts     [][]byte `json:"parts"`
	Keyframe  bool     `json:"keyframe"`
	Numbers   []uint16 `json:"numbers"`
	Structure []int    `json:"structure"`
}

func vp9(packets []*rtp.Packet) picture {
	found := picture{Parts: [][]byte{nil}}
	for index, packet := range packets {
		var read codecs.VP9Packet
		payload, err := read.Unmarshal(packet.Payload)
		must(err)
		if read.F || !read.I || read.B != (index == 0) || read.E != (index == len(packets)-1) {
			must(fmt.Errorf("a descriptor of packet %d of %d: %+v", index, len(packets), read))
		}
		found.Numbers = append(found.Numbers, read.PictureID)
		if read.V {
			found.Structure = []int{int(read.NS), int(read.Width[0]), int(read.Height[0]), int(read.NG), int(read.PGPDiff[0][0])}
		}
		found.Keyframe = !read.P
		found.Parts[0] = append(found.Parts[0], payload...)
	}
	return found
}

func av1(packets []*rtp.Packet) picture {
	var found picture
	open := false
	for index, packet := range packets {
		var read codecs.AV1Packet
		_, err := read.Unmarshal(packet.Payload)
		must(err)
		if read.Z != open || (read.N && index > 0) {
			must(fmt.Errorf("an aggregation header of packet %d of %d: %+v", index, len(packets), read))
		}
		found.Keyframe = found.Keyframe || read.N
		for at, element := range read.OBUElements {
			if at == 0 && read.Z {
				last := len(found.Parts) - 1
				found.Parts[last] = append(found.Parts[last], element...)
			} else {
				found.Parts = append(found.Parts, append([]byte{}, element...))
			}
		}
		open = read.Y
	}
	if open {
		must(fmt.Errorf("the last packet is continued by none"))
	}
	return found
}

func main() {
	endpoint, name := os.Args[1], os.Args[2]
	formats := map[string]string{"VP9": "profile-id=0", "AV1": "level-idx=5;profile=0;tier=0"}
	engine := &webrtc.MediaEngine{}
	feedback := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	must(engine.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: "video/" + name, ClockRate: 90000, SDPFmtpLine: formats[name], RTCPFeedback: feedback,
		},
		PayloadType: 98,
	}, webrtc.RTPCodecTypeVideo))
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(engine)).NewPeerConnection(webrtc.Configuration{})
	must(err)
	got := make(chan *rtp.Packet, 4096)
	codec := make(chan string, 1)
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		codec <- track.Codec().MimeType + " " + track.Codec().SDPFmtpLine
		for {
			packet, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			got <- packet
		}
	})
	receive(pc, webrtc.RTPCodecTypeVideo)
	connect(pc, endpoint, http.StatusCreated)
	var pictures []picture
	var packets []*rtp.Packet
	for deadline := time.After(30 * time.Second); len(pictures) < 25; {
		select {
		case packet := <-got:
			packets = append(packets, packet)
			if packet.Marker {
				if name == "VP9" {
					pictures = append(pictures, vp9(packets))
				} else {
					pictures = append(pictures, av1(packets))
				}
				packets = nil
			}
		case <-deadline:
			must(fmt.Errorf("only %d pictures", len(pictures)))
		}
	}
	must(json.NewEncoder(os.Stdout).Encode(map[string]interface{}{"codec": <-codec, "pictures": pictures}))
	must(pc.Close())
}
